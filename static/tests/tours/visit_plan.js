import { registry } from "@web/core/registry";

import { app, entry, menu } from "./helpers";

const plans = () => [
    ...app("sale.sale_menu_root", "Ventas"),
    menu("sale.menu_sale_config", "Configuración"),
    entry("crm_automation.menu_sale_calendar_visit_plans", "Planes de visitas"),
];

registry.category("web_tour.tours").add("crm_automation_visit_plan", {
    steps: () => [
        ...plans(),
        { trigger: ".o_breadcrumb:contains('Planes de visitas')" },
        { trigger: ".o_list_button_add", run: "click" },
        {
            trigger: ".o_field_widget[name='name'] input",
            run: "edit Clientes GOLD del tour",
        },
        {
            content: "The customers of a category",
            trigger: ".o_field_widget[name='category_ids'] input",
            run: "edit GOLD del tour",
        },
        { trigger: ".o-autocomplete--dropdown-item:contains('GOLD del tour')", run: "click" },
        {
            content: "The number of customers tells whether these are the ones",
            trigger: ".o_field_widget[name='customer_count']:contains('3')",
        },
        {
            content: "On a date of the month",
            trigger: ".o_field_widget[name='cadence'] input",
            run: "click",
        },
        { trigger: ".o_select_menu_item:contains('Un día del mes')", run: "click" },
        { trigger: ".o_field_widget[name='month_day'] input", run: "edit 3" },
        {
            content: "The plan says what it proposes before anything is booked",
            trigger: ".o_statusbar_buttons button[name='action_preview']:contains('Vista previa')",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Cliente A'):contains('Propuesta')" },
        { trigger: ".o_list_view .o_data_row:contains('Nadie visita a este cliente')" },
        {
            content: "The same in the calendar",
            trigger: ".o_switch_view.o_calendar",
            run: "click",
        },
        { trigger: ".o_calendar_view .fc-event:contains('Cliente A')" },
        { trigger: ".o_back_button", run: "click" },
        { trigger: ".o_statusbar_buttons button[name='action_book']:contains('Reservar')", run: "click" },
        { trigger: ".modal footer .btn-primary", run: "click" },
        {
            content: "Booked: meetings are made, and the plan goes on by itself",
            trigger: ".o_arrow_button_current:contains('En marcha')",
        },
        { trigger: "button[name='action_open_booked']:contains('reservadas')", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('Cliente B'):contains('Reservada')" },
        {
            content: "From the line to its meeting",
            trigger: ".o_data_row:contains('Cliente B') button[name='action_open_meeting']",
            run: "click",
        },
        { trigger: ".o_form_view .o_field_widget[name='customer_id'] input:value('Cliente B del tour')" },
    ],
});

registry.category("web_tour.tours").add("crm_automation_visit_dashboard", {
    steps: () => [
        ...app("crm.crm_menu_root", "CRM"),
        menu("crm.crm_menu_report", "Informes"),
        entry("crm_automation.menu_crm_visit_dashboard", "Las visitas de un vistazo"),
        { trigger: "[data-plot='coverage'] canvas" },
        { trigger: "[data-plot='compliance'] canvas" },
        { trigger: "[data-plot='load'] canvas" },
        { trigger: "[data-plot='answers'] .o_graph_view, [data-plot='answers'] canvas" },
        {
            content: "A figure opens what it counts",
            trigger: ".o_crm_automation_figure:contains('Nunca visitados')",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('Cliente A') .o_data_cell[name='partner_id']",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Reservada')" },
    ],
});

registry.category("web_tour.tours").add("crm_automation_visit_progress", {
    steps: () => [
        { trigger: ".alert-info .o_progress[aria-valuenow='0']" },
        {
            content: "Half of it is booked, and nobody has reloaded the page",
            trigger: ".alert-info .o_progress[aria-valuenow='50']",
        },
        { trigger: ".o_arrow_button_current:contains('En marcha')" },
        {
            content: "Longer than the pause between two looks",
            trigger: "body:not(:has(.o_progressbar))",
            run: () => new Promise((resolve) => setTimeout(resolve, 4000)),
        },
    ],
});
