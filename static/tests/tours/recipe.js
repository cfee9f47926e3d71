import { registry } from "@web/core/registry";

import { app, convertLead, entry, menu } from "./helpers";

registry.category("web_tour.tours").add("crm_automation_recipe", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        entry("crm_automation.menu_sale_automation_recipes", "Recetas"),
        {
            content: "The recipe of the mission's first story",
            trigger: ".o_kanban_record:contains('Lead convertido en oportunidad')",
            run: "click",
        },
        {
            content: "The mail, before anything is made",
            trigger: ".modal .o_field_widget[name='preview_body']:contains('se ha convertido en oportunidad')",
        },
        { trigger: ".modal button[name='action_create_and_enable']", run: "click" },
        {
            content: "The rule is on",
            trigger: ".o_form_view button[name='action_disable']:contains('Apagar')",
        },
        { trigger: ".nav-link:contains('Condiciones')", run: "click" },
        { trigger: ".o_field_widget[name='customer_category_ids']" },
        { trigger: ".nav-link:contains('Acciones'):not(:contains('email'))", run: "click" },
        { trigger: ".o_field_widget[name='set_user_id']" },

        // A lead becomes an opportunity.
        ...convertLead("Corchos del tour"),
        {
            content: "The executions, one click from the opportunity",
            trigger: ".o_form_view:contains('Corchos del tour') .o-form-buttonbox button[name='action_open_automation_firings'], .o_form_view:contains('Corchos del tour') button[name='action_open_automation_firings']",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Corchos del tour'):contains('Pendiente')" },
    ],
});
