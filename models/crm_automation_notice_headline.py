"""What the ready-made notice says first: its subject, and the sentence of what has happened."""

from odoo import api, models


class CrmAutomationNotice(models.AbstractModel):
    _inherit = "crm.automation.notice"

    def _headline(self, firing, record, recipient):
        """Subject and first sentence of the ready-made text. Hook for extensions."""
        told = firing._told()
        gone = told.get("gone")
        kind = "moved" if firing.trigger == "moment" and told.get("moved") else firing.trigger
        values = {
            "name": gone["name"] if gone else self._name_for(record, recipient.partner),
            "model": self.env["ir.model"]._get(firing.res_model).sudo().name,
            **self._headline_values(kind, told, record, recipient.tz),
        }
        subject, sentence = self._sentences()[kind]()
        return subject % values, sentence % values

    def _headline_values(self, kind, told, record, tz):
        """What the sentences of a kind say beside the name and the model of the record."""
        if kind == "opportunities_merged":
            merged = [entry for entry in told.get("merged", ()) if entry["id"] != record.id]
            names = [self.env._("“%(name)s”", name=entry["name"]) for entry in merged]
            return {"names": ", ".join(names)}
        if kind == "task_created":
            return {"project": record.sudo().project_id.display_name}
        if kind in ("meeting_booked", "meeting_moved"):
            return {"start": self._start_of(record, tz)}
        if kind == "invitation_answered":
            return {"answers": self._answers(told.get("answers", ()))}
        if kind in ("stage_entered", "state_reached"):
            name = "stage_id" if kind == "stage_entered" else self._state_name(record)
            return {"state": self._display(record, record._fields[name], tz)}
        if kind == "moment":
            return {"date": self._moment_date(record, tz)}
        if kind == "moved":
            old = self._old_date(record, told["moved"], tz)
            return {"date": self._moment_date(record, tz), "old": old}
        return {}

    def _sentences(self):
        """Trigger to a function that gives subject and sentence, with places for values.

        Of a rule about dates there are two: *moved* says that the date is another one.
        """
        return {
            **self._sentences_of_sales(),
            **self._sentences_of_meetings(),
            **self._sentences_of_any_record(),
        }

    def _sentences_of_sales(self):
        """Of leads and opportunities, and of tasks for customers."""
        return {
            "lead_converted": lambda: (
                self.env._("Now an opportunity: %(name)s"),
                self.env._("The lead “%(name)s” has become an opportunity."),
            ),
            "opportunities_merged": lambda: (
                self.env._("Merged into %(name)s"),
                self.env._("%(names)s merged into “%(name)s”."),
            ),
            "won": lambda: (
                self.env._("Won: %(name)s"),
                self.env._("The opportunity “%(name)s” is won."),
            ),
            "lost": lambda: (
                self.env._("Lost: %(name)s"),
                self.env._("The opportunity “%(name)s” is lost."),
            ),
            "task_created": lambda: (
                self.env._("New task: %(name)s"),
                self.env._("The task “%(name)s” has been created in the project “%(project)s”."),
            ),
        }

    def _sentences_of_meetings(self):
        """Of meetings and their invitations."""
        return {
            "meeting_booked": lambda: (
                self.env._("New meeting: %(name)s"),
                self.env._("The meeting “%(name)s” has been booked: %(start)s."),
            ),
            "meeting_moved": lambda: (
                self.env._("Meeting moved: %(name)s"),
                self.env._("The meeting “%(name)s” has been moved. It is now: %(start)s."),
            ),
            "meeting_cancelled": lambda: (
                self.env._("Meeting cancelled: %(name)s"),
                self.env._("The meeting “%(name)s” has been cancelled."),
            ),
            "invitation_answered": lambda: (
                self.env._("Answer to the invitation: %(name)s"),
                self.env._("Answers to the invitation to “%(name)s”: %(answers)s."),
            ),
        }

    def _sentences_of_any_record(self):
        """Of records of any kind."""
        return {
            "created": lambda: (
                self.env._("New %(model)s: %(name)s"),
                self.env._("“%(name)s” (%(model)s) has been created."),
            ),
            "updated": lambda: (
                self.env._("Changed: %(name)s"),
                self.env._("“%(name)s” (%(model)s) has been changed."),
            ),
            "saved": lambda: (
                self.env._("Saved: %(name)s"),
                self.env._("“%(name)s” (%(model)s) has been created or changed."),
            ),
            "deleted": lambda: (
                self.env._("Deleted: %(name)s"),
                self.env._("“%(name)s” (%(model)s) has been deleted."),
            ),
            "called": lambda: (
                self.env._("About %(name)s"),
                self.env._("About “%(name)s” (%(model)s)."),
            ),
            "stage_entered": lambda: (
                self.env._("%(name)s: now %(state)s"),
                self.env._("“%(name)s” (%(model)s) is now in the stage “%(state)s”."),
            ),
            "state_reached": lambda: (
                self.env._("%(name)s: now %(state)s"),
                self.env._("“%(name)s” (%(model)s) is now in the state “%(state)s”."),
            ),
            "moment": lambda: (
                self.env._("Reminder: %(name)s"),
                self.env._("Reminder of “%(name)s” (%(model)s): %(date)s."),
            ),
            "moved": lambda: (
                self.env._("Date moved: %(name)s"),
                self.env._(
                    "The date of “%(name)s” (%(model)s) was moved from %(old)s to %(date)s."
                ),
            ),
        }

    def _answers(self, answers):
        words = {
            "accepted": self.env._("%(name)s has accepted"),
            "declined": self.env._("%(name)s has declined"),
            "tentative": self.env._("%(name)s may come"),
        }
        # Who has answered twice meant it the second time.
        last = {answer["partner_id"] or answer["name"]: answer for answer in answers}
        return ", ".join(
            words[answer["state"]] % {"name": answer["name"]} for answer in last.values()
        )

    @api.model
    def _state_name(self, record):
        return "business_state" if "business_state" in record._fields else "state"
