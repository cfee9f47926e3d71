import { registry } from "@web/core/registry";

import { app, entry, menu } from "./helpers";

registry.category("web_tour.tours").add("crm_automation_first_steps", {
    steps: () => [
        ...app("sale.sale_menu_root", "Ventas"),
        menu("sale.menu_sale_config", "Configuración"),
        entry("crm_automation.menu_sale_first_steps", "Primeros pasos"),
        {
            content: "What is to be done says so",
            trigger:
                ".o_kanban_record:contains('Su calendario en su teléfono'):contains('Pendiente')",
            run: "click",
        },
        {
            content: "A card opens the screen where it is done",
            trigger: ".o_breadcrumb:contains('Sincronizar mi agenda')",
        },
    ],
});
