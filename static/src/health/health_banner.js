import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, onWillStart, useState } from "@odoo/owl";

/** One line above the rules, only when no notice can leave at all. */
export class HealthBanner extends Component {
    static template = "crm_automation.HealthBanner";
    static props = { ...standardWidgetProps, record: { type: Object, optional: true } };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ text: false });
        onWillStart(() => {
            // Not awaited: the rules are shown without waiting for it.
            this.load();
        });
    }

    async load() {
        this.state.text = await this.orm.silent.call("crm.automation.health", "banner", []);
    }

    open() {
        this.action.doAction("crm_automation.crm_automation_health_action");
    }
}

registry.category("view_widgets").add("crm_automation_health_banner", { component: HealthBanner });

export class RuleListController extends ListController {
    static template = "crm_automation.RuleListView";
    static components = { ...ListController.components, HealthBanner };
}

registry.category("views").add("crm_automation_rule_list", {
    ...listView,
    Controller: RuleListController,
});

export class RuleKanbanController extends KanbanController {
    static template = "crm_automation.RuleKanbanView";
    static components = { ...KanbanController.components, HealthBanner };
}

registry.category("views").add("crm_automation_rule_kanban", {
    ...kanbanView,
    Controller: RuleKanbanController,
});
