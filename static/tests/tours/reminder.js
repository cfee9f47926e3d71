import { registry } from "@web/core/registry";

import { app, entry, menu } from "./helpers";

const REMINDER = ".o_crm_automation_reminder:contains('Tasting')";

registry.category("web_tour.tours").add("crm_automation_reminder", {
    steps: () => [
        {
            content: "What was due before the browser was opened",
            trigger: `${REMINDER}:contains('Cellar'):contains('(Europe/Madrid)')`,
        },
        { trigger: `${REMINDER} button:contains('Join')` },
        { trigger: `${REMINDER} button:contains('In 5 minutes')`, run: "click" },
        { trigger: "body:not(:has(.o_crm_automation_reminder))" },
        ...app("calendar.mail_menu_calendar", "Calendar"),
        menu("crm_automation.menu_calendar_reminders_coming", "Upcoming Reminders"),
        { trigger: ".o_list_view .o_data_row:contains('Tasting')" },
        ...app("sale.sale_menu_root", "Sales"),
        menu("sale.menu_sale_config", "Configuration"),
        entry("crm_automation.menu_sale_calendar_alarms", "Alarms"),
        {
            trigger: ".o_list_view .o_data_row:contains('Notification - 5 Minutes') .o_data_cell",
            run: "click",
        },
        { trigger: ".o_form_view button[name='action_test']", run: "click" },
        {
            content: "Over the bus, while the browser is open",
            trigger: `${REMINDER} button:contains('Dismiss')`,
            run: "click",
        },
        { trigger: "body:not(:has(.o_crm_automation_reminder))" },
    ],
});
