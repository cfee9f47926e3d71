import { registry } from "@web/core/registry";

import { app } from "./helpers";

const { DateTime } = luxon;

/** A new meeting, in its form, that repeats. */
function newMeeting(name) {
    return [
        ...app("calendar.mail_menu_calendar", "Calendario"),
        { trigger: ".o-calendar-button-new", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name='name'] input", run: `edit ${name}` },
        { trigger: ".o_notebook .nav-link:contains('Opciones')", run: "click" },
        { trigger: ".o_field_widget[name='recurrency'] input", run: "click" },
    ];
}

/** A choice in a field with a few. */
function choose(field, text) {
    return [
        { trigger: `.o_field_widget[name='${field}'] input`, run: "click" },
        { trigger: `.o_select_menu_item:contains('${text}')`, run: "click" },
    ];
}

const save = [
    { trigger: ".o_form_button_save", run: "click" },
    { trigger: ".o_form_saved, .o_form_readonly, .o_form_view:not(:has(.o_form_dirty))" },
];

registry.category("web_tour.tours").add("crm_automation_meeting_monthly", {
    steps: () => [
        ...newMeeting("Visita mensual del tour"),
        ...choose("rrule_type_ui", "Mensual"),
        {
            content: "The day of the month and the day of the week have two words",
            trigger: ".o_field_widget[name='month_by'] input",
            run: "click",
        },
        { trigger: ".o_select_menu_item:contains('Día de la semana')" },
        { trigger: ".o_select_menu_item:contains('Último día del mes')" },
        { trigger: ".o_select_menu_item:contains('Día del mes'):first", run: "click" },
        { trigger: ".o_field_widget[name='day'] input", run: "edit 3" },
        { trigger: ".o_field_widget[name='count'] input", run: "edit 12 && click body" },
        {
            content: "The next dates are shown before anything is saved",
            trigger: ".o_field_widget[name='rule_preview']:contains('12 fechas')",
        },
        {
            content: "A reminder",
            trigger: ".o_field_widget[name='alarm_ids'] input",
            run: "edit Correo",
        },
        { trigger: ".o-autocomplete--dropdown-item:contains('3 Hora')", run: "click" },
        { trigger: ".o_field_widget[name='show_as'] input:value('Ocupado')" },
        ...save,
        {
            content: "Without the first meeting of the year",
            trigger: "button[name='action_series_exceptions']:contains('Excepciones')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='date'] input",
            run: `edit ${nextThird().plus({ months: 1 }).toFormat("dd/MM/yyyy")} && click body`,
        },
        { trigger: ".modal footer button[name='action_add']", run: "click" },
        { trigger: ".modal .o_data_row:contains('No se celebra')" },
        { trigger: ".modal footer button:contains('Cerrar')", run: "click" },
        {
            content: "It is uncertain whether it takes place",
            trigger: "button[name='action_status_tentative']",
            run: "click",
        },
        { trigger: ".o_arrow_button_current:contains('Provisional')" },
    ],
});

/** The first 3rd from today on. */
function nextThird() {
    const third = DateTime.now().set({ day: 3 });
    return third < DateTime.now().startOf("day") ? third.plus({ months: 1 }) : third;
}

registry.category("web_tour.tours").add("crm_automation_meeting_daily", {
    steps: () => [
        ...newMeeting("Feria del tour"),
        ...choose("rrule_type_ui", "Diaria"),
        ...choose("end_type", "Fecha"),
        {
            trigger: ".o_field_widget[name='until'] input",
            run: `edit ${DateTime.now().plus({ days: 9 }).toFormat("dd/MM/yyyy")} && click body`,
        },
        { trigger: ".o_field_widget[name='rule_preview']:contains('10 fechas')" },
        { trigger: ".o_field_widget[name='show_as'] input:value('Ocupado')" },
        ...save,
        { trigger: ".o_back_button, .breadcrumb-item:contains('Reuniones')", run: "click" },
        { trigger: ".o_calendar_view .scale_button_selection", run: "click" },
        { trigger: ".dropdown-item:contains('Mes')", run: "click" },
        {
            content: "It is there day after day",
            trigger: ".o_calendar_view .fc-event:contains('Feria del tour'):eq(2)",
        },
    ],
});
