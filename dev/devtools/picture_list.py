"""What the pictures of docs/es show, and how one gets there.

A step is a name and its words: ``wait``, ``click`` and ``top`` (scroll to) a selector and
a text that is in it, ``type`` a selector and a text, ``rest`` seconds. In addresses stand
``{url}`` and what ``picture_data.py`` has made.
"""

from dataclasses import dataclass

LOW, WIDE, TALL, PHONE = (1200, 440), (1200, 760), (1200, 900), (420, 1400)
DIALOG = ".modal-content"
ACTION = "{url}/odoo/action-crm_automation."
RULE = f"{ACTION}crm_automation_rule_action/{{rule}}"
GOLD = f"{ACTION}crm_automation_rule_action/{{gold_rule}}"
EVENT = "{url}/odoo/calendar.event/"


@dataclass(frozen=True)
class Picture:
    """:param tuple steps: see above
    :param str area: selector of what is shown; None for the window
    :param str login: whose screen it is; None for nobody's
    """

    name: str
    address: str
    steps: tuple = ()
    size: tuple = WIDE
    area: str | None = None
    login: str | None = "ana"


def tab(name):
    return ("click", f".o_notebook a[name='{name}']")


FORM = ("wait", ".o_form_view .o_field_widget")
ROWS = ("wait", ".o_data_row")
SERIES = (
    FORM,
    ("click", "[name='recurrence_update'] input[data-value='all_events']"),
    tab("options"),
    ("top", ".o_notebook"),
)

PICTURES = (
    # Acciones automatizadas
    Picture(
        "menu", "{url}/odoo/action-sale.action_quotations_with_onboarding",
        (
            ("wait", ".o_menu_sections"),
            ("click", "[data-menu-xmlid='sale.menu_sale_config']"),
            ("wait", ".dropdown-item", "Acciones automatizadas"),
            ("top", ".dropdown-menu_group, .dropdown-header", "Acciones automáticas"),
        ),
        TALL,
    ),
    Picture("recetas", f"{ACTION}crm_automation_recipe_action", (("wait", ".o_kanban_record"),)),
    Picture(
        "receta", f"{ACTION}crm_automation_recipe_action",
        (
            ("click", ".o_kanban_record", "comercial"),
            ("wait", ".modal .o_field_widget[name='summary']"),
        ),
        TALL, DIALOG,
    ),
    Picture("regla", RULE, (FORM,), TALL),
    Picture("email", RULE, (FORM, tab("email_actions")), TALL),
    Picture("proximas", f"{ACTION}crm_automation_firing_due_action", (("wait", ".fc-event"),)),
    # Guía del consultor
    Picture("condiciones", GOLD, (FORM, tab("conditions")), (1200, 1100)),
    Picture("acciones", GOLD, (FORM, tab("actions"), ("top", ".o_notebook")), TALL),
    Picture(
        "probar", RULE,
        (
            FORM,
            ("click", "button[name='action_test']"),
            ("wait", ".modal .o_field_widget[name='condition_ids'] .o_data_row"),
        ),
        TALL, DIALOG,
    ),
    Picture("registro", f"{ACTION}crm_automation_firing_action", (ROWS,)),
    # Guía del administrador
    Picture("estado", f"{ACTION}crm_automation_health_action", (("rest", 1.5),), TALL),
    Picture(
        "adoptar", f"{ACTION}crm_automation_take_over_open",
        (("click", ".o_data_row .o_data_cell", "Lead nuevo: prioridad"), FORM), TALL, login="admin",
    ),
    # Reuniones periódicas
    Picture("serie", f"{EVENT}{{series}}", SERIES, TALL, login="luis"),
    Picture("serie_diaria", f"{EVENT}{{daily}}", SERIES, TALL, login="marta"),
    Picture("serie_texto", f"{EVENT}{{text}}", SERIES, TALL),
    Picture(
        "excepciones", f"{EVENT}{{series}}",
        (
            *SERIES,
            ("click", "button[name='action_series_exceptions']"),
            ("wait", ".modal .o_data_row"),
        ),
        TALL, DIALOG, login="luis",
    ),
    # Invitaciones
    Picture(
        "invitar", f"{EVENT}{{event}}",
        (
            FORM,
            ("click", "button[name='action_invite']"),
            ("click", ".modal input[data-value='external']"),
            ("type", ".modal [name='emails'] textarea", "Eva Prieto <eva@example.org>"),
            ("click", ".modal button[name='action_find_times']"),
            ("wait", ".modal .o_field_widget[name='slot_ids'] .o_data_row"),
        ),
        (1200, 1100), DIALOG,
    ),
    Picture("invitaciones", f"{ACTION}calendar_attendee_action", (ROWS,)),
    Picture("responder", "{url}{answer}", (("wait", "form"),), PHONE, login=None),
    # Planes de visitas
    Picture("plan", f"{ACTION}calendar_visit_plan_action/{{plan}}", (FORM,), TALL),
    Picture(
        "plan_visitas", f"{ACTION}calendar_visit_plan_action/{{plan}}",
        (FORM, ("click", "button[name='action_open_visits']"), ROWS),
    ),
    Picture(
        "visitas", "{url}/odoo/visits", (("wait", ".o_crm_automation_figure"), ("rest", 1)), TALL
    ),
    # Recordatorios
    Picture("avisos", f"{ACTION}calendar_reminder_coming_open", (ROWS,), LOW, login="luis"),
    Picture("aviso", f"{ACTION}calendar_alarm_action/{{alarm}}", (FORM,), LOW),
    Picture(
        "resumen", "{url}/odoo/action-base.action_res_users_my/{ana}",
        (
            FORM,
            ("click", ".o_notebook a", "Calendario"),
            ("click", "[name='reminder_summary'] input"),
        ),
        TALL,
    ),
    # Sincronizar mi agenda
    Picture("sincronizar", f"{ACTION}caldav_setup_action", (FORM,), TALL),
    Picture("programas", f"{ACTION}caldav_setup_action", (FORM, tab("davx5")), TALL, ".o_notebook"),
    # Cuentas
    Picture("cuenta", f"{ACTION}caldav_account_action/{{account}}", (FORM,), (1200, 1000)),
    Picture(
        "cuenta_ejecuciones", f"{ACTION}caldav_account_action/{{account}}",
        (FORM, ("click", ".oe_stat_button", "Ejecuciones"), ROWS), LOW,
    ),
    # Importar, canales, suscripciones
    Picture("importar", f"{ACTION}calendar_import_action/{{import}}", (FORM, ROWS), TALL),
    Picture("canal", f"{ACTION}calendar_feed_action/{{feed}}", (FORM,), LOW),
    Picture("suscripcion", f"{ACTION}calendar_subscription_action/{{subscription}}", (FORM,)),
)  # fmt: skip
