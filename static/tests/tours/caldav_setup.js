import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("crm_automation_caldav_setup", {
    steps: () => [
        { trigger: ".o_navbar_apps_menu button", run: "click" },
        { trigger: ".o_app[data-menu-xmlid='calendar.mail_menu_calendar']", run: "click" },
        {
            trigger:
                ".o_menu_sections [data-menu-xmlid='crm_automation.menu_calendar_caldav_setup']:contains('Sincronizar mi agenda')",
            run: "click",
        },
        {
            content: "The address and the name are the user's own",
            trigger: ".o_form_view .o_field_widget[name='login']:contains('seller')",
        },
        {
            content: "They are in the drawings, too",
            trigger:
                ".o_caldav_window .o_caldav_box .o_field_widget[name='url']:contains('/caldav/')",
        },
        {
            trigger: ".o_notebook .nav-link:contains('Outlook')",
            run: "click",
        },
        { trigger: ".o_caldav_window .o_caldav_bar:contains('CalDav Synchronizer')" },
        {
            trigger: ".o_form_view .o_field_widget[name='name'] input",
            run: "edit Teléfono del tour",
        },
        { trigger: "button[name='action_make_key']", run: "click" },
        {
            content: "Who asks for a key says who he is",
            trigger: ".modal .o_field_widget[name='password'] input",
            run: "edit sellerxx",
        },
        { trigger: ".modal button[name='run_check']", run: "click" },
        {
            content: "The key, this once",
            trigger: ".modal .alert-warning:contains('solo se muestra esta vez')",
        },
        {
            trigger: ".modal .o_field_widget[name='key'] :not(:empty)",
        },
        { trigger: ".modal button[name='action_done']", run: "click" },
        {
            content: "It is listed, and shown no more",
            trigger:
                "body:not(:has(.modal)) .o_field_widget[name='key_ids'] .o_data_row:contains('Teléfono del tour')",
        },
        {
            trigger:
                ".o_field_widget[name='key_ids'] .o_data_row:contains('Teléfono del tour') button[name='action_revoke']",
            run: "click",
        },
        { trigger: ".modal footer .btn-primary", run: "click" },
        {
            content: "It is gone",
            trigger: ".o_form_view:not(:contains('Teléfono del tour')) button[name='action_make_key']",
        },
    ],
});
