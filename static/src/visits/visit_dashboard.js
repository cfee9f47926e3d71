import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { View } from "@web/views/view";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillStart, useState } from "@odoo/owl";

/** Native plots of the visits side by side, with the figures above them. */
export class VisitDashboard extends Component {
    static template = "crm_automation.VisitDashboard";
    static components = { Layout, View };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ figures: [] });
        onWillStart(() => this.load());
    }

    async load() {
        const ask = (method) => this.orm.call("calendar.visit.dashboard", method, []);
        [this.state.figures, this.answersView] = await Promise.all([
            ask("figures"),
            ask("answers_view"),
        ]);
    }

    /** Title, action that shows more, and what the plot is of. */
    get plots() {
        const plot = (name, title, action, resModel, more = {}) => ({
            name,
            title,
            action: `crm_automation.${action}`,
            view: {
                type: "graph",
                resModel,
                display: { controlPanel: false },
                searchMenuTypes: [],
                domain: [],
                context: {},
                ...more,
            },
        });
        return [
            plot(
                "coverage",
                _t("Coverage: have the customers been met within their cycle?"),
                "calendar_visit_coverage_action",
                "calendar.visit.coverage"
            ),
            plot(
                "compliance",
                _t("Compliance: what became of what was planned?"),
                "calendar_visit_report_action",
                "calendar.visit.report"
            ),
            plot(
                "load",
                _t("Load: how full are the weeks, in per cent of the working hours?"),
                "calendar_visit_load_action",
                "calendar.visit.load",
                { domain: ["|", ["booked_count", ">", 0], ["proposed_count", ">", 0]] }
            ),
            plot(
                "answers",
                _t("Answers of the customers to the invitations"),
                "calendar_visit_report_action",
                "calendar.visit.report",
                {
                    domain: [
                        ["outcome", "in", ["held", "to_come"]],
                        ["answer", "!=", "none"],
                    ],
                    viewId: this.answersView,
                }
            ),
        ];
    }
}

registry.category("actions").add("crm_automation.visit_dashboard", VisitDashboard);
