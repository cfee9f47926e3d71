import { registry } from "@web/core/registry";

import { app, entry, menu } from "./helpers";

const ACCOUNTS = [
    ...app("sale.sale_menu_root", "Ventas"),
    menu("sale.menu_sale_config", "Configuración"),
    entry("crm_automation.menu_sale_caldav_accounts", "Cuentas CalDAV"),
    { trigger: ".o_breadcrumb:contains('Cuentas CalDAV')" },
];

function calendar(name, field, more = "") {
    return `.o_field_widget[name='calendar_ids'] .o_data_row:contains('${name}') .o_data_cell[name='${field}']${more}`;
}

registry.category("web_tour.tours").add("crm_automation_account", {
    steps: () => {
        // Which server it is, the test says.
        const server = document.cookie.match(/caldav_server=([^;]*)/)[1];
        return [
            ...ACCOUNTS,
            { trigger: ".o_list_button_add", run: "click" },
            { trigger: ".o_field_widget[name='name'] input", run: "edit Mi Nextcloud" },
            { trigger: ".o_field_widget[name='url'] input", run: `edit ${server}` },
            { trigger: ".o_field_widget[name='login'] input", run: "edit ana" },
            { trigger: ".o_field_widget[name='password'] input", run: "edit wrong" },
            { trigger: ".o_form_button_save", run: "click" },
            {
                content: "A password that is wrong",
                trigger: "button[name='action_connect']:contains('Probar conexión')",
                run: "click",
            },
            {
                content: "It is said in words",
                trigger: ".o_field_widget[name='test_report']:contains('no acepta el nombre de usuario')",
            },
            { trigger: ".o_field_widget[name='password'] input", run: "edit pssst-4711" },
            {
                content: "The right one: it is saved with it",
                trigger: "button[name='action_connect']:contains('Probar conexión')",
                run: "click",
            },
            {
                content: "Step by step",
                trigger: ".o_field_widget[name='test_report']:contains('El servidor responde')",
            },
            { trigger: calendar("Casa", "enabled") },
            {
                content: "One of the calendars",
                trigger: calendar("Ventas", "enabled", " .form-check-input"),
                run: "click",
            },
            { content: "It is kept at once", trigger: calendar("Ventas", "enabled", " input:checked") },
            {
                content: "The password is not there to be read",
                trigger: ".o_form_view:contains('Hay una contraseña guardada')",
            },
            { trigger: ".o_form_button_save", run: "click" },
            { trigger: ".o_form_saved, .o_form_readonly, .o_form_view:not(:has(.o_form_dirty))" },
        ];
    },
});

registry.category("web_tour.tours").add("crm_automation_account_run", {
    steps: () => [
        ...ACCOUNTS,
        { trigger: ".o_list_view .o_data_cell[name='name']:contains('Mi Nextcloud')", run: "click" },
        {
            content: "Beside each calendar how far it is",
            trigger: calendar("Ventas", "state", ":contains('Al día')"),
        },
        { trigger: calendar("Casa", "state", ":contains('En espera')") },
        {
            content: "And why, there and above",
            trigger: calendar("Casa", "message", ":contains('500')"),
        },
        { trigger: ".alert-warning:contains('Casa:')" },
        { trigger: ".nav-link[name='runs']", run: "click" },
        {
            content: "The run",
            trigger:
                ".o_field_widget[name='run_ids'] .o_data_cell[name='created_count']:contains('2')",
            run: "click",
        },
        {
            content: "What it has done",
            trigger: ".modal .o_data_cell[name='summary']:contains('Cata en la bodega')",
        },
        { trigger: ".modal .btn-close", run: "click" },
        { trigger: "button.oe_stat_button:contains('Ejecuciones')", run: "click" },
        { trigger: ".o_switch_view.o_graph", run: "click" },
        { content: "The graph", trigger: ".o_graph_view canvas" },
    ],
});
