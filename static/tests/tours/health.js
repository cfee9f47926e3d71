import { registry } from "@web/core/registry";

import { app } from "./helpers";

const configuration = {
    trigger: ".o_menu_sections [data-menu-xmlid='sale.menu_sale_config']",
    run: "click",
};

registry.category("web_tour.tours").add("crm_automation_health", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        configuration,
        {
            trigger: ".o-dropdown--menu [data-menu-xmlid='crm_automation.menu_sale_automation_rules']",
            run: "click",
        },
        {
            content: "The line above the list of the rules",
            trigger: ".o_list_view .o_crm_automation_banner",
        },
        { trigger: ".o_data_row:first .o_data_cell[name='name']", run: "click" },
        {
            content: "The line above a rule leads to the page",
            trigger: ".o_form_view .o_crm_automation_banner button",
            run: "click",
        },
        {
            trigger:
                ".o_crm_automation_finding[data-code='job_archived'] button.btn-primary:enabled",
            run: "click",
        },
        {
            content: "What was mended is gone",
            trigger:
                ".o_crm_automation_health:not(:has(.o_crm_automation_finding[data-code='job_archived']))",
        },
        configuration,
        {
            content: "The menu of the page",
            trigger:
                ".o-dropdown--menu [data-menu-xmlid='crm_automation.menu_sale_automation_health']",
            run: "click",
        },
        { trigger: ".o_crm_automation_health [data-status='ok']" },
    ],
});
