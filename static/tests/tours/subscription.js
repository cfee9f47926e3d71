import { registry } from "@web/core/registry";

import { app, entry, menu } from "./helpers";

registry.category("web_tour.tours").add("crm_automation_subscription", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        entry("crm_automation.menu_sale_calendar_subscriptions", "Suscripciones"),
        { trigger: ".o_list_view .o_data_cell[name='name']:contains('Ferias')", run: "click" },
        { trigger: ".o_form_view button[name='action_refresh']", run: "click" },
        {
            content: "It has been read",
            trigger: ".o_form_view .o_field_widget[name='state'] .o_arrow_button_current:contains('Al día')",
        },
        {
            content: "What the reading has done is told",
            trigger: ".o_field_widget[name='run_ids'] .o_data_cell[name='created_count']:contains('2')",
        },
        {
            content: "Its meetings",
            trigger: "button[name='action_open_meetings']:contains('2')",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_cell[name='name']:contains('Feria de Lugo')", run: "click" },
        {
            content: "They cannot be changed",
            trigger: ".o_form_view .alert-info:contains('Ferias'):contains('no se puede cambiar aquí')",
        },
        { trigger: ".o_form_view .o_field_widget[name='name'].o_readonly_modifier" },
    ],
});
