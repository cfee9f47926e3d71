"""Whether mails leave the house, and what the outgoing server says."""

from odoo import api, models
from odoo.tools import SQL, config

from .crm_automation_delivery import PASSING_FAILURES
from .crm_automation_health import COUNTED, LATE, WEEK

#: How many of the latest notices and of Odoo's latest mails tell how the server is.
RECENT = 500


class CrmAutomationHealth(models.AbstractModel):
    _inherit = "crm.automation.health"

    @api.model
    def _alarms(self):
        return [*super()._alarms(), "_check_mail_refused"]

    @api.model
    def _checks(self):
        return [
            *super()._checks(),
            "_check_mail_waiting",
            "_check_undelivered",
            "_check_no_mail_server",
            "_check_no_way_back",
        ]

    @api.model
    def _tables(self):
        return [*super()._tables(), "_table_mail", "_table_mail_servers"]

    # -- what is there --------------------------------------------------------------

    @api.model
    def _mail_history(self):
        """How the last notices and Odoo's last mails fared.

        A wrong address is no fault of the server: what counts is what Odoo would
        try again.

        :return: dict: ``left`` (when the last mail left), and of what was refused
            since then: ``refused`` (their number), ``tries``, ``since`` (when the
            first one was written) and ``reason`` (of the last one)
        """
        self.env["crm.automation.delivery"].flush_model()
        self.env["mail.mail"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH recent AS (
                    (SELECT state = 'sent' AS gone, state = 'retry' OR tries > 1 AS refused,
                            sent_at, write_date, create_date, tries, reason
                     FROM crm_automation_delivery ORDER BY id DESC LIMIT %(recent)s)
                    UNION ALL
                    (SELECT state = 'sent',
                            state = 'exception'
                            AND coalesce(failure_type, 'unknown') IN %(passing)s
                            AND NOT EXISTS (
                                SELECT FROM crm_automation_delivery own WHERE own.mail_id = mail.id
                            ),
                            write_date, write_date, create_date, 1, failure_reason
                     FROM mail_mail mail ORDER BY id DESC LIMIT %(recent)s)
                ), last AS (
                    SELECT max(sent_at) AS moment FROM recent WHERE gone
                )
                SELECT last.moment, count(bad.create_date), coalesce(sum(bad.tries), 0),
                       min(bad.create_date),
                       (array_agg(bad.reason ORDER BY bad.write_date DESC))[1]
                FROM last LEFT JOIN recent bad ON bad.refused AND NOT bad.gone
                    -- Moments of sending are whole seconds.
                    AND date_trunc('second', bad.write_date)
                        > coalesce(last.moment, '-infinity')
                GROUP BY last.moment
                """,
                recent=RECENT,
                passing=tuple(filter(None, PASSING_FAILURES)),
            )
        )
        names = ("left", "refused", "tries", "since", "reason")
        return dict(zip(names, self.env.cr.fetchone(), strict=True))

    @api.model
    def _mail_servers(self):
        """The servers that all may send by: a user's own is his business."""
        return (
            self.env["ir.mail_server"]
            .sudo()
            .with_context(active_test=False)
            .search([("owner_user_id", "=", False)])
        )

    @api.model
    def _opens_mail_servers(self):
        return self._opens(
            self.env._("Open the Mail Servers"), "base.action_ir_mail_server_list", for_admins=True
        )

    @api.model
    def _opens_deliveries(self, states, since=None):
        domain = [("delivery_ids.state", "in", states)]
        if since:
            domain.append(("finished_at", ">=", since))
        return self._opens(
            self.env._("Show Them"), self.env["crm.automation.firing"]._action_of(domain)
        )

    # -- checks ---------------------------------------------------------------------

    @api.model
    def _check_mail_refused(self):
        history = self._mail_history()
        if not history["refused"]:
            return []
        servers = self._mail_servers().filtered("active")
        return [
            self._finding(
                "mail_refused",
                # One refusal is daily life; it is tried again after a minute.
                "critical" if history["tries"] > 1 else "warning",
                self.env._(
                    "The outgoing mail server takes no mail since %(since)s.",
                    since=self._when(history["since"]),
                ),
                self.env._(
                    "Test the connection, correct the mail server by what it says, and leave the "
                    "rest to Odoo: the mails are tried again by themselves."
                )
                if servers
                else self.env._(
                    "Enter an outgoing mail server: there is none, so Odoo tries the one of its "
                    "configuration file (smtp_server in odoo.conf, else this machine itself)."
                ),
                detail=self.env._(
                    "It says: %(reason)s (Refused: %(number)s. The last mail left: %(left)s.)",
                    reason=(history["reason"] or self.env._("nothing")).strip(),
                    number=history["refused"],
                    left=self._when(history["left"]) or self.env._("never"),
                ),
                buttons=[
                    self._does(
                        self.env._("Test the Connection"), "action_test_mail", servers[:1].id
                    ),
                    self._opens_mail_servers(),
                    self._opens_deliveries(["retry"]),
                ],
                for_admins=True,
            )
        ]

    @api.model
    def _check_mail_waiting(self):
        """Queued, and nobody takes them from the queue."""
        domain = [("state", "=", "queued"), ("create_date", "<=", self._ago(LATE))]
        Delivery = self.env["crm.automation.delivery"]
        oldest = Delivery.search(domain, order="create_date", limit=1)
        if not oldest:
            return []
        return [
            self._finding(
                "mail_waiting",
                "warning",
                self.env._(
                    "Mails that wait in Odoo's queue: %(number)s, the first since %(since)s.",
                    number=self._number(Delivery.search_count(domain, limit=COUNTED + 1)),
                    since=self._when(oldest.create_date),
                ),
                self.env._(
                    "See that the scheduled action that sends mails is in order (table below) and "
                    "run it; a mail that somebody has cancelled is sent no more."
                ),
                buttons=[
                    self._does(self.env._("Run Now"), "action_run_jobs"),
                    self._opens(
                        self.env._("Open the Mail Queue"),
                        "mail.action_view_mail_mail",
                        for_admins=True,
                    ),
                    self._opens_deliveries(["queued"]),
                ],
            )
        ]

    @api.model
    def _undelivered_domain(self):
        return [("state", "=", "failed"), ("write_date", ">=", self._ago(WEEK))]

    @api.model
    def _check_undelivered(self):
        Delivery = self.env["crm.automation.delivery"]
        last = Delivery.search(self._undelivered_domain(), order="write_date desc", limit=1)
        if not last:
            return []
        number = Delivery.search_count(self._undelivered_domain(), limit=COUNTED + 1)
        return [
            self._finding(
                "undelivered",
                "warning",
                self.env._(
                    "Mails of the last 7 days that were not delivered: %(number)s.",
                    number=self._number(number),
                ),
                self.env._("Read the reason of each in the log; most often an address is wrong."),
                detail=self.env._(
                    "The last one, to %(email)s: %(reason)s",
                    email=last.email or "?",
                    reason=(last.reason or "").strip(),
                ),
                buttons=[self._opens_deliveries(["failed"], self._ago(WEEK))],
            )
        ]

    @api.model
    def _check_no_mail_server(self):
        if self._mail_servers().filtered("active"):
            return []
        left = self._mail_history()["left"]
        return [
            self._finding(
                "no_mail_server",
                "info",
                self.env._("No outgoing mail server is entered in Odoo."),
                self.env._("Nothing, if mails leave; else enter one."),
                detail=self.env._(
                    "Odoo uses the one of its configuration file (smtp_server in odoo.conf), else "
                    "this machine itself. The last mail left: %(left)s.",
                    left=self._when(left) or self.env._("never"),
                ),
                buttons=[
                    self._does(self.env._("Test the Connection"), "action_test_mail", False),
                    self._opens_mail_servers(),
                ],
                for_admins=True,
            )
        ]

    @api.model
    def _check_no_way_back(self):
        """Without an e-mail domain, answers go to a person's mailbox, not to the record."""
        lost = self.env.companies.filtered(lambda company: not company.sudo().alias_domain_id)
        if not lost:
            return []
        return [
            self._finding(
                "no_way_back",
                "info",
                self.env._(
                    "Answers to notices do not come back to Odoo (%(companies)s).",
                    companies=", ".join(lost.mapped("name")),
                ),
                self.env._(
                    "Choose an e-mail domain for the company, and have its mail fetched by Odoo."
                ),
                detail=self.env._("They go to the mailbox of whoever is named as the sender."),
                buttons=[
                    self._opens(
                        self.env._("Open the E-mail Domains"),
                        "mail.mail_alias_domain_action",
                        for_admins=True,
                    )
                ],
                for_admins=True,
            )
        ]

    # -- tables ---------------------------------------------------------------------

    @api.model
    def _table_mail(self):
        history = self._mail_history()
        queued, retry = [("state", "=", "queued")], [("state", "=", "retry")]
        undelivered = self._undelivered_domain()
        rows = [
            self._mail_row(self.env._("On their way"), queued),
            self._mail_row(self.env._("To be tried again"), retry, severity="warning"),
            self._mail_row(
                self.env._("Not delivered in the last 7 days"),
                undelivered,
                since=self._ago(WEEK),
                severity="critical",
            ),
        ]
        note = self.env._(
            "The last mail left: %(left)s.", left=self._when(history["left"]) or self.env._("never")
        )
        return {
            **self._grid(
                self.env._("Mails of the Rules"),
                [
                    self.env._("Mails"),
                    self.env._("Number"),
                    self.env._("Last Answer of the Server"),
                ],
                rows,
            ),
            "note": note,
        }

    @api.model
    def _mail_row(self, label, domain, since=None, severity=""):
        Delivery = self.env["crm.automation.delivery"]
        number = Delivery.search_count(domain, limit=COUNTED + 1)
        last = Delivery.search([*domain, ("reason", "!=", False)], order="id desc", limit=1)
        state = domain[0][2]
        return [
            self._cell(label),
            self._cell(self._number(number), severity if number else ""),
            self._cell(last.reason, buttons=[number and self._opens_deliveries([state], since)]),
        ]

    @api.model
    def _table_mail_servers(self):
        """By name only: where they are and who logs in is for administrators."""
        history = self._mail_history()
        rows = []
        for server in self._mail_servers():
            if not server.active:
                state, severity = self.env._("Archived"), ""
            elif history["refused"]:
                state = self.env._(
                    "Takes no mail since %(since)s", since=self._when(history["since"])
                )
                severity = "critical" if history["tries"] > 1 else "warning"
            elif history["left"]:
                state, severity = self.env._("In order"), "ok"
            else:
                state, severity = self.env._("Not used yet"), ""
            place = f"{server.smtp_host}:{server.smtp_port}" if self.env.is_system() else ""
            rows.append(
                [
                    self._cell(server.name),
                    self._cell(place),
                    self._cell(
                        state,
                        severity,
                        [
                            self._does(
                                self.env._("Test the Connection"), "action_test_mail", server.id
                            ),
                            self._opens_record(self.env._("Open It"), server),
                        ],
                    ),
                ]
            )
        empty = self.env._("None is entered; Odoo uses the one of its configuration file.")
        if self.env.is_system():
            empty += f" {config['smtp_server']}:{config['smtp_port']}"
        return self._grid(
            self.env._("Outgoing Mail Servers"),
            [self.env._("Name"), self.env._("Place"), self.env._("State")],
            rows,
            empty=empty,
        )

    # -- buttons --------------------------------------------------------------------

    @api.model
    def action_test_mail(self, server_id):
        """Odoo's own test of a mail server; without one, of the configuration file's.

        :raises UserError: with what the server said
        """
        self._check_administrator()
        servers = self.env["ir.mail_server"].with_context(active_test=False)
        server = servers.browse(server_id) if server_id else servers.new({"name": "odoo.conf"})
        return server.test_smtp_connection()
