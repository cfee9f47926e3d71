import { registry } from "@web/core/registry";

import { app, convertLead, entry, menu } from "./helpers";

registry.category("web_tour.tours").add("crm_automation_lead_converted", {
    steps: () => [
        // The mission's first path: Ventas / Configuración / Acciones automáticas.
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        {
            content: "The heading above the entries",
            trigger: ".o-dropdown--menu .dropdown-menu_group:contains('Acciones automáticas')",
        },
        entry("crm_automation.menu_sale_automation_rules", "Acciones automatizadas"),
        {
            content: "The shipped rule is there, switched off",
            trigger: ".o_data_row:contains('avisar al comercial')",
        },
        { trigger: ".o_list_button_add", run: "click" },
        {
            trigger: ".o_field_widget[name='name'] input, .o_field_widget[name='name'] textarea",
            run: "edit Avisar de la oportunidad",
        },
        {
            content: "The trigger that the form proposes",
            trigger: ".o_field_widget[name='trigger']",
        },
        { trigger: ".nav-link:contains('Acciones de email')", run: "click" },
        {
            content: "Enviar correo a responsable",
            trigger: ".o_field_widget[name='notify_responsible'] input",
            run: "check",
        },
        { trigger: ".o_form_button_save", run: "click" },
        {
            content: "The rule in plain words",
            trigger: ".o_field_widget[name='summary']:contains('su responsable')",
        },
        { trigger: "button[name='action_enable']:contains('Encender')", run: "click" },
        { trigger: "button[name='action_disable']:contains('Apagar')" },

        // A lead becomes an opportunity.
        ...convertLead("Tapones del tour"),
        { trigger: ".o_form_view:contains('Tapones del tour') .o_statusbar_status" },

        // The mission's second path: CRM / Configuración / … / Registro de ejecuciones.
        menu("crm.crm_menu_config", "Configuración"),
        entry("crm_automation.menu_crm_automation_firings", "Registro de ejecuciones"),
        {
            content: "The execution is in the log",
            trigger: ".o_data_row:contains('Tapones del tour'):contains('Pendiente')",
        },
    ],
});
