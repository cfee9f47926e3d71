import { registry } from "@web/core/registry";

import { app, menu } from "./helpers";

registry.category("web_tour.tours").add("crm_automation_take_over", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        {
            content: "The menu is there, since Odoo's rules are",
            trigger:
                ".o-dropdown--menu [data-menu-xmlid='crm_automation.menu_sale_automation_take_over']",
            run: "click",
        },
        {
            content: "Odoo's rule, in the list",
            trigger: ".o_data_row .o_data_cell:contains('Look at every lead')",
            run: "click",
        },
        {
            content: "Both, side by side",
            trigger: ".o_field_widget[name='comparison'] td:contains('Look at it')",
        },
        {
            content: "What will differ",
            trigger: ".o_field_widget[name='differences'] li",
        },
        { trigger: "button[name='action_take_over_and_enable']", run: "click" },
        { trigger: "button[name='action_open_rule']", run: "click" },
        {
            content: "The new rule is on, and knows where it comes from",
            trigger: ".o_form_view:has(button[name='action_disable']) button[name='action_open_take_over']",
            run: "click",
        },
        { trigger: "button[name='action_give_back']", run: "click" },
        { trigger: "button[name='action_take_over_and_enable']" },
    ],
});
