import { registry } from "@web/core/registry";

import { app, entry, menu } from "./helpers";

registry.category("web_tour.tours").add("crm_automation_invitation", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        entry("crm_automation.menu_sale_calendar_invitations", "Invitaciones evento"),
        {
            content: "Who is invited to what",
            trigger: ".o_data_row:contains('Cata del tour'):contains('Azure') .o_data_cell",
            run: "click",
        },
        { trigger: ".o_form_view .o_field_widget[name='role']" },
        { trigger: ".o_notebook a[name='delegation']", run: "click" },
        { trigger: ".o_field_widget[name='delegated_from_ids']" },
        { trigger: "button[name='action_open_event']", run: "click" },
        { trigger: ".o_calendar_event_form_view button[name='action_invite']", run: "click" },
        {
            content: "People from outside",
            trigger: ".modal .o_field_widget[name='type'] input[data-value='external']",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='emails'] textarea",
            run: "edit Eva <eva@example.com>, eva@",
        },
        {
            content: "Free times are looked for, what is wrong is shown",
            trigger: ".modal button[name='action_find_times']",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name='preview'] .text-danger" },
        { trigger: ".modal .o_field_widget[name='slot_ids'] .o_data_row" },
        {
            trigger: ".modal .o_field_widget[name='emails'] textarea",
            run: "edit Eva <eva@example.com>",
        },
        {
            trigger: ".modal .o_field_widget[name='send_mail'] input",
            run: "uncheck",
        },
        {
            trigger: ".modal .o_field_widget[name='preview']:not(:has(.text-danger)):contains('eva@')",
        },
        { trigger: ".modal button[name='action_invite']", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_notebook a[name='page_invitations']", run: "click" },
        { trigger: ".o_field_widget[name='attendee_ids'] .o_data_row:contains('Eva')" },
    ],
});
