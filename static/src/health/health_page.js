import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillStart, useState } from "@odoo/owl";

const ALERTS = { critical: "danger", warning: "warning", info: "info", ok: "success" };

/** Why notices do not leave: what crm.automation.health reports, with its buttons. */
export class HealthPage extends Component {
    static template = "crm_automation.HealthPage";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ report: null, busy: false });
        onWillStart(() => this.load());
    }

    async load() {
        this.state.report = await this.orm.call("crm.automation.health", "report", []);
    }

    color(severity) {
        return ALERTS[severity] || "secondary";
    }

    badge(severity) {
        const color = this.color(severity);
        return `badge text-wrap bg-${color}-subtle text-${color}-emphasis`;
    }

    async press(button) {
        if (button.action) {
            return this.action.doAction(button.action);
        }
        this.state.busy = true;
        try {
            const answer = await this.orm.call(
                "crm.automation.health",
                button.method,
                button.arguments
            );
            if (answer && answer.params) {
                // Its own “close the dialog” is for a form; this page stays.
                await this.action.doAction({
                    ...answer,
                    params: { ...answer.params, next: undefined },
                });
            }
        } finally {
            this.state.busy = false;
            await this.load();
        }
    }
}

registry.category("actions").add("crm_automation.health", HealthPage);
