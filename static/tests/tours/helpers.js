/** A menu of the navigation bar, by its technical name and its Spanish one. */
export function menu(xmlid, text) {
    return {
        content: `Menu ${text}`,
        trigger: `.o_menu_sections [data-menu-xmlid='${xmlid}']:contains('${text}')`,
        run: "click",
    };
}

/** An entry of the open menu. */
export function entry(xmlid, text) {
    return {
        content: `Menu entry ${text}`,
        trigger: `.o-dropdown--menu [data-menu-xmlid='${xmlid}']:contains('${text}')`,
        run: "click",
    };
}

export function app(xmlid, text) {
    return [
        { trigger: ".o_navbar_apps_menu button", run: "click" },
        {
            content: `App ${text}`,
            trigger: `.o_app[data-menu-xmlid='${xmlid}']:contains('${text}')`,
            run: "click",
        },
    ];
}

/** A lead of this name becomes an opportunity, by the button. */
export function convertLead(name) {
    return [
        ...app("crm.crm_menu_root", "CRM"),
        menu("crm.crm_menu_leads", "Leads"),
        { trigger: `.o_data_cell:contains('${name}')`, run: "click" },
        { trigger: ".o_statusbar_buttons button:contains('Convertir en oportunidad')", run: "click" },
        { trigger: ".modal button[name='action_apply']", run: "click" },
    ];
}
