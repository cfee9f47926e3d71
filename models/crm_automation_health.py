"""Why notices do not leave, on one screen, each with the fix named.

Owns the report: who may see it, the order of the findings, the line above the
rules. What is looked at is in ``crm_automation_health_jobs.py`` and
``crm_automation_health_mail.py``: one small method for each check. No query here
grows with the number of records: each is limited, or reads a partial index.
"""

import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools.misc import format_datetime

_logger = logging.getLogger(__name__)

GROUP = "crm_automation.group_rule_manager"
#: The worst first.
SEVERITIES = ("critical", "warning", "info")
#: A job that is due and has not begun after so long is not just busy: Odoo's
#: workers look for due jobs every 60 to 70 seconds.
LATE = timedelta(minutes=5)
WEEK = timedelta(days=7)
#: What is counted is counted up to here.
COUNTED = 1000


class CrmAutomationHealth(models.AbstractModel):
    _name = "crm.automation.health"
    _description = "Health of the Automated Actions"

    @api.model
    def _checks(self):
        """Names of the methods that return lists of findings. Hook for extensions."""
        return [*self._alarms(), "_check_idle_rules"]

    @api.model
    def _alarms(self):
        """The checks that are looked at above every rule as well: cheap ones, of what
        stops all notices. Hook for extensions."""
        return []

    @api.model
    def _tables(self):
        """Names of the methods that return the tables below the findings. Hook for
        extensions."""
        return []

    # -- the report ---------------------------------------------------------------

    @api.model
    def report(self):
        """All that the page shows, in words of the reader.

        :return: dict: ``status`` (critical, warning or ok), ``headline``, ``moment``,
            ``findings`` (see ``_finding``) and ``tables`` (see ``_grid``)
        """
        self._check_reader()
        checks = self._checks()
        if self._is_neutralized():
            # All that follows from it would hide the reason.
            checks = ["_check_neutralized", "_check_idle_rules"]
        findings = self._findings(checks)
        status = findings[0]["severity"] if findings else "ok"
        return {
            "status": "ok" if status == "info" else status,
            "headline": self._headline(status),
            "moment": self._when(fields.Datetime.now()),
            "findings": findings,
            "tables": [getattr(self, name)() for name in self._tables()],
        }

    @api.model
    def banner(self):
        """One line when notices cannot leave at all, else False."""
        if not self.env.user.has_group(GROUP) or self._is_neutralized():
            return False
        findings = self._findings(self._alarms())
        return next((f["title"] for f in findings if f["severity"] == "critical"), False)

    @api.model
    def _check_reader(self):
        if not self.env.user.has_group(GROUP):
            raise AccessError(self.env._("Only sales administrators see the health page."))

    @api.model
    def _check_administrator(self):
        self._check_reader()
        if not self.env.is_system():
            raise AccessError(self.env._("Only administrators may do that."))

    @api.model
    def _findings(self, names):
        """What these checks find, the worst first. A check that fails is a finding."""
        findings = []
        for name in names:
            try:
                with self.env.cr.savepoint():
                    findings += getattr(self, name)()
            except psycopg2.extensions.TransactionRollbackError:
                raise
            except Exception as error:
                _logger.warning("%s failed", name, exc_info=True)
                findings.append(
                    self._finding(
                        "broken",
                        "warning",
                        self.env._("One of the checks of this page failed."),
                        self.env._("See Odoo's log for “%(name)s”.", name=name),
                        detail=str(error),
                        for_admins=True,
                    )
                )
        return sorted(findings, key=lambda found: SEVERITIES.index(found["severity"]))

    @api.model
    def _headline(self, status):
        return {
            "critical": self.env._("Notices are not being sent as they should be."),
            "warning": self.env._("Notices are being sent, but not all is well."),
        }.get(status) or self.env._("All is well: what is due is sent.")

    @api.model
    def _finding(self, code, severity, title, fix, detail="", buttons=(), for_admins=False):
        """One thing that is wrong.

        :param str code: names the finding for programs
        :param str severity: one of ``SEVERITIES``
        :param str title: what is wrong, one sentence
        :param str fix: what to do about it, one sentence
        :param str detail: since when, how many, what the server has said
        :param buttons: what ``_opens`` and ``_does`` return, the missing ones left out
        :param bool for_admins: only administrators can mend it
        """
        if for_admins and not self.env.is_system():
            fix = self.env._("For an administrator: %(fix)s", fix=fix)
        return {
            "code": code,
            "severity": severity,
            "title": title,
            "fix": fix,
            "detail": detail or "",
            "buttons": [button for button in buttons if button],
        }

    @api.model
    def _grid(self, title, columns, rows, empty=""):
        """A table: rows are lists of cells, see ``_cell``; ``empty`` stands for no rows."""
        return {"title": title, "columns": columns, "rows": rows, "empty": empty}

    @api.model
    def _cell(self, text="", severity="", buttons=()):
        return {
            "text": text or "",
            "severity": severity,
            "buttons": [button for button in buttons if button],
        }

    @api.model
    def _opens(self, label, action, for_admins=False):
        """A button that leads somewhere.

        :param action: an XML id, or a dict
        """
        if for_admins and not self.env.is_system():
            return None
        if isinstance(action, str):
            action = self.env["ir.actions.actions"]._for_xml_id(action)
        return {"label": label, "action": action}

    @api.model
    def _opens_record(self, label, record):
        """A button for administrators that leads to a record's form."""
        action = {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }
        return self._opens(label, action, for_admins=True)

    @api.model
    def _does(self, label, method, *arguments):
        """A button for administrators that calls a public method of this model."""
        if not self.env.is_system():
            return None
        return {"label": label, "method": method, "arguments": list(arguments)}

    # -- words --------------------------------------------------------------------

    @api.model
    def _when(self, moment):
        return format_datetime(self.env, moment, dt_format="short") if moment else ""

    @api.model
    def _ago(self, delta):
        """That long ago, as domains that travel to the browser have it."""
        return fields.Datetime.to_string(fields.Datetime.now() - delta)

    @api.model
    def _number(self, counted):
        return f"{COUNTED}+" if counted > COUNTED else str(counted)

    @api.model
    def _done(self, message):
        """What a button answers."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"message": message, "type": "success"},
        }

    # -- rules --------------------------------------------------------------------

    @api.model
    def _is_neutralized(self):
        parameters = self.env["ir.config_parameter"].sudo()
        return bool(parameters.get_param("database.is_neutralized"))

    @api.model
    def _check_neutralized(self):
        return [
            self._finding(
                "neutralized",
                "critical",
                self.env._("This is a neutralized copy of a database: it writes to nobody."),
                self.env._(
                    "Work in the real database; or, if this is to be one, make it from a copy "
                    "that is not neutralized."
                ),
                detail=self.env._(
                    "Its rules were switched off, its scheduled actions and mail servers archived."
                ),
                for_admins=True,
            )
        ]

    @api.model
    def _check_idle_rules(self):
        """Rules that are on and cannot act, one finding each."""
        rules = self.env["crm.automation.rule"].search([("enabled", "=", True)])
        if not rules:
            return [
                self._finding(
                    "no_rule",
                    "info",
                    self.env._("No rule is switched on, so nothing is sent."),
                    self.env._("Open the rules and switch on those that you want."),
                    buttons=[
                        self._opens(
                            self.env._("Open the Rules"),
                            "crm_automation.crm_automation_rule_action",
                        )
                    ],
                )
            ]
        return [
            self._finding(
                "idle_rule",
                "warning",
                self.env._("The rule “%(name)s” is on and does nothing.", name=rule.name),
                self.env._("Open the rule and mend what is said there, or switch it off."),
                detail=rule.problem,
                buttons=[
                    self._opens(
                        self.env._("Open the Rule"),
                        {
                            "type": "ir.actions.act_window",
                            "res_model": rule._name,
                            "res_id": rule.id,
                            "views": [(False, "form")],
                        },
                    )
                ],
            )
            for rule in rules
            if rule.problem
        ]
