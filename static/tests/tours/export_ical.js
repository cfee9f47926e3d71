import { registry } from "@web/core/registry";

import { app, entry, menu } from "./helpers";

registry.category("web_tour.tours").add("crm_automation_export_ical", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        entry("crm_automation.menu_sale_calendar_export_ical", "Exportar iCal"),
        {
            content: "What can be exported",
            trigger: ".modal .o_field_widget[name='scope']:contains('Mi calendario')",
        },
        {
            content: "A period asks from when to when",
            trigger: ".modal .o_field_widget[name='scope'] label:contains('Todas las reuniones de un periodo')",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name='date_from'].o_required_modifier" },
        {
            trigger: ".modal .o_field_widget[name='scope'] label:contains('Mi calendario')",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name='private_details'] input", run: "click" },
        { trigger: ".modal button[name='action_export']:contains('Exportar')", run: "click" },
        {
            content: "The file has been made",
            trigger: ".modal .alert-success:contains('El fichero está listo') .o_field_widget[name='file']:contains('.ics')",
        },
        { trigger: ".modal footer button[special='cancel']", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});
