import { registry } from "@web/core/registry";

import { app, entry, menu } from "./helpers";

registry.category("web_tour.tours").add("crm_automation_rule_test", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        entry("crm_automation.menu_sale_automation_rules", "Acciones automatizadas"),
        { trigger: ".o_data_cell:contains('Regla del tour')", run: "click" },
        { trigger: "button[name='action_test']:contains('Probar regla')", run: "click" },
        {
            content: "A record that fits is proposed, and the rule is tried with it",
            trigger: ".modal .o_field_widget[name='verdict']:contains('Se cumplen todas')",
        },
        {
            content: "Another record is chosen",
            trigger: ".modal .o_field_widget[name='res_id'] input",
            run: "edit Barricas del tour",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Barricas del tour')",
            run: "click",
        },
        {
            content: "What stood there was about the other one",
            trigger: ".modal:not(:has(.o_field_widget[name='verdict']:contains('Se cumplen')))",
        },
        { trigger: ".modal button[name='action_test']:contains('Probar')", run: "click" },
        {
            trigger: ".modal .o_field_widget[name='verdict']:contains('no se cumplen 1 de sus')",
        },
        {
            content: "The condition that does not match, in words",
            trigger: ".modal .o_data_row:contains('Patrón del nombre'):contains('Corchos'):contains('No')",
        },
        { trigger: ".modal .nav-link:contains('Destinatarios')", run: "click" },
        {
            content: "Who is left out, and why",
            trigger: ".modal .o_data_row:contains('Cliente'):contains('El registro no tiene cliente')",
        },
        { trigger: ".modal .nav-link:contains('Correos')", run: "click" },
        {
            content: "The mail, in Spanish",
            trigger: ".modal .o_field_widget[name='mails']:contains('Barricas del tour')",
        },
        {
            content: "The look back",
            trigger: ".modal .o_field_widget[name='mode'] .form-check:contains('en el pasado') input",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name='days'] input", run: "edit 10" },
        { trigger: ".modal button[name='action_test']:contains('Probar')", run: "click" },
        {
            trigger: ".modal .o_data_row:contains('Corchos del tour'):contains('Nada: la regla')",
        },
        {
            content: "Why, from the list",
            trigger: ".modal .o_data_row:contains('Barricas del tour') button[name='action_explain']",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='verdict']:contains('no se cumplen 1 de sus')",
        },
        { trigger: ".modal-footer button:contains('Cerrar')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});

registry.category("web_tour.tours").add("crm_automation_by_hand", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        entry("crm_automation.menu_sale_automation_due", "Próximas ejecuciones"),
        {
            content: "What is due next, in the calendar",
            trigger: ".o_calendar_view .o_calendar_sidebar:contains('Regla del tour')",
        },
        { trigger: ".o_switch_view.o_list", run: "click" },
        { trigger: ".o_data_row:contains('Corchos del tour') .o_data_cell", run: "click" },
        { trigger: "button[name='action_postpone']:contains('Aplazar')", run: "click" },
        {
            trigger: ".modal .o_field_widget[name='step'] .form-check:contains('Una semana') input",
            run: "click",
        },
        { trigger: ".modal button[name='action_postpone']", run: "click" },
        {
            content: "The log says who has done it",
            trigger: ".o_form_view .o_field_widget[name='reason']:contains('Aplazada a mano por Rosa')",
        },
        { trigger: "button[name='action_skip']:contains('Omitir')", run: "click" },
        {
            trigger: ".o_field_widget[name='reason']:contains('Omitida a mano por Rosa')",
        },
        {
            trigger: "button[name='action_send_anyway']:contains('Enviar de todos modos')",
            run: "click",
        },
        { trigger: ".modal .btn-primary", run: "click" },
        {
            trigger: ".o_field_widget[name='reason']:contains('Enviada a mano por Rosa')",
        },
    ],
});

registry.category("web_tour.tours").add("crm_automation_switch_on", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        entry("crm_automation.menu_sale_automation_rules", "Acciones automatizadas"),
        { trigger: ".o_data_cell:contains('Recordatorio del tour')", run: "click" },
        { trigger: "button[name='action_switch_on']:contains('Encender')", run: "click" },
        {
            content: "What is over already, before anything is switched on",
            trigger: ".modal .o_data_row:contains('Cata del tour')",
        },
        { trigger: ".modal .o_field_widget[name='act_on_past'] input", run: "check" },
        { trigger: ".modal button[name='action_confirm']", run: "click" },
        { trigger: ".o_form_view button[name='action_disable']:contains('Apagar')" },
    ],
});
