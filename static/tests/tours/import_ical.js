import { inputFiles } from "@web/../tests/utils";
import { registry } from "@web/core/registry";

import { app, entry, menu } from "./helpers";

const lines = (...events) =>
    ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tour//ES", ...events.flat(), "END:VCALENDAR", ""].join(
        "\r\n"
    );

const event = (uid, summary, ...more) => [
    "BEGIN:VEVENT",
    `UID:${uid}`,
    "DTSTAMP:20270101T000000Z",
    `SUMMARY:${summary}`,
    ...more,
    "END:VEVENT",
];

const FILE = lines(
    event("uno@tour", "Cata en el tour", "DTSTART:20370301T090000Z", "DTEND:20370301T100000Z"),
    event("dos@tour", "Ruta en el tour", "DTSTART:20370302T090000Z", "RRULE:FREQ=DAILY;COUNT=3"),
    event("tres@tour", "Sin fecha")
);

registry.category("web_tour.tours").add("crm_automation_import_ical", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        entry("crm_automation.menu_sale_calendar_import", "Importar iCal"),
        { trigger: ".o_breadcrumb:contains('Importar iCal')" },
        { trigger: ".o_list_button_add", run: "click" },
        {
            content: "A file of the own computer",
            trigger: ".o_field_widget[name='file_ids']",
            run: () =>
                inputFiles(".o_field_widget[name='file_ids'] .o_input_file", [
                    new File([FILE], "agenda.ics", { type: "text/calendar" }),
                ]),
        },
        { trigger: ".o_field_widget[name='file_ids'] .o_attachment:contains('agenda')" },
        { trigger: "button[name='action_preview']:contains('Vista previa')", run: "click" },
        {
            content: "What would happen is told before anything is written",
            trigger: ".alert-info:contains('Todavía no se ha escrito nada')",
        },
        {
            content: "Two can be read, one cannot",
            trigger: ".oe_stat_button:has([name='new_count']:contains('2'))",
        },
        {
            trigger: ".oe_stat_button:has([name='refused_count']:contains('1'))",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Sin fecha')" },
        { trigger: ".o_back_button:contains('agenda.ics')", run: "click" },
        { trigger: ".o_form_view .o_arrow_button_current:contains('Vista previa')" },
        { trigger: "button[name='action_import']:contains('Importar')", run: "click" },
        { trigger: ".o_arrow_button_current:contains('Importada')" },
        { trigger: "button[name='action_undo']:contains('Deshacer la importación')", run: "click" },
        { trigger: ".modal footer .btn-primary", run: "click" },
        { trigger: ".o_arrow_button_current:contains('Deshecha')" },
    ],
});
