"""Reminders of what is to be done: tasks, and activities.

Owns their part of the finder. A task is reminded of to whoever works on it, an activity to
whoever has it. An activity has a day and no hour: like a meeting of whole days it is
reminded of at the reminder's hour, of the day before or of the day.
"""

from odoo import api, models
from odoo.tools import SQL

from .calendar_alarm import FOR_ALL
from .calendar_reminder_find import Span

#: Column of ``calendar.reminder.own`` by the model that it leads to.
OWN_COLUMNS = {"project.task": "task_id", "mail.activity": "activity_id"}


class CalendarReminder(models.Model):
    _inherit = "calendar.reminder"

    @api.model
    def _queries(self, column, timings, allday, with_known):
        queries = super()._queries(column, timings, allday, with_known)
        if allday:
            return [*queries, self._activities_query(column, timings, with_known)]
        return [*queries, self._tasks_query(column, timings, with_known)]

    @api.model
    def _tasks_query(self, column, timings, with_known):
        """Reminders of tasks for those who work on them; see ``_meetings_query``.

        A task starts when it is planned to, or is due if it has only a deadline.
        """
        base = SQL("task.date_deadline")
        if column != "stop":
            base = SQL("COALESCE(task.planned_date_start, task.date_deadline)")
        return SQL(
            """
            SELECT timing.number, 'project.task', task.id, person.partner_id, NULL, %(base)s,
                   task.create_date
              FROM %(timings)s
              JOIN project_task task ON task.active AND %(window)s
                   AND task.state NOT IN ('1_done', '1_canceled')
              JOIN project_task_calendar_alarm_rel rel
                   ON rel.task_id = task.id AND rel.alarm_id = timing.alarm_id
              JOIN LATERAL (
                   SELECT worker.partner_id
                     FROM project_task_user_rel works
                     JOIN res_users worker ON worker.id = works.user_id AND worker.active
                    WHERE works.task_id = task.id AND timing.audience <> 'all'
                      AND (timing.audience <> 'shown' OR NOT %(own)s)
                   UNION ALL
                   SELECT NULL WHERE timing.audience = 'all') AS person ON TRUE
             WHERE %(base)s IS NOT NULL AND %(unknown)s
            """,
            base=base,
            timings=self._timings_as_values(timings),
            window=self._between(base, column, timings),
            own=self._has_own_of("project.task", SQL("task.id"), SQL("worker.partner_id")),
            unknown=self._unknown(
                "project.task", SQL("task.id"), SQL("person.partner_id"), SQL("NULL"), base,
                with_known,
            ),
        )  # fmt: skip

    @api.model
    def _activities_query(self, column, timings, with_known):
        """Reminders of activities for those who have them; see ``_meetings_query``.

        Only notifications and mails: it is a to-do already, and no business of others.
        """
        base = SQL("activity.date_deadline::timestamp")
        return SQL(
            """
            SELECT timing.number, 'mail.activity', activity.id, person.partner_id, NULL, %(base)s,
                   activity.create_date
              FROM %(timings)s
              JOIN mail_activity activity ON activity.active AND %(window)s
              JOIN mail_activity_calendar_alarm_rel rel
                   ON rel.activity_id = activity.id AND rel.alarm_id = timing.alarm_id
              JOIN res_users person ON person.id = activity.user_id AND person.active
             WHERE (timing.audience = 'mail' OR timing.audience = 'shown' AND NOT %(own)s)
               AND %(unknown)s
            """,
            base=base,
            timings=self._timings_as_values(timings),
            # Of the column itself, which has an index.
            window=self._between(SQL("activity.date_deadline"), column, timings),
            own=self._has_own_of("mail.activity", SQL("activity.id"), SQL("person.partner_id")),
            unknown=self._unknown(
                "mail.activity", SQL("activity.id"), SQL("person.partner_id"), SQL("NULL"), base,
                with_known,
            ),
        )  # fmt: skip

    @api.model
    def _has_own_of(self, model, res_id, partner):
        """SQL condition: somebody has his own reminders of a to-do instead."""
        return SQL(
            """
            EXISTS (SELECT FROM calendar_reminder_own own
                      JOIN res_users whose ON whose.id = own.user_id
                     WHERE %s = %s AND whose.partner_id = %s)
            """,
            SQL.identifier("own", OWN_COLUMNS[model]),
            res_id,
            partner,
        )

    @api.model
    def _spans(self, model, ids):
        if model == "project.task":
            query = SQL(
                """
                SELECT task.id, COALESCE(task.planned_date_start, task.date_deadline),
                       task.date_deadline, FALSE
                  FROM project_task task
                 WHERE task.id = ANY(%s) AND task.active
                   AND task.state NOT IN ('1_done', '1_canceled')
                """,
                list(ids),
            )
        elif model == "mail.activity":
            query = SQL(
                """
                SELECT id, date_deadline::timestamp, date_deadline::timestamp, TRUE
                  FROM mail_activity WHERE id = ANY(%s) AND active
                """,
                list(ids),
            )
        else:
            return super()._spans(model, ids)
        return {
            res_id: Span(start, stop, allday, None, is_todo=True)
            for res_id, start, stop, allday in self.env.execute_query(query)
        }

    def _still_wanted(self):
        return (
            super()._still_wanted()
            | self._of_query(
                SQL(
                    """
                    SELECT row.id FROM calendar_reminder row
                     WHERE row.id = ANY(%(ids)s) AND row.res_model = 'project.task'
                       AND (row.own_key IS NOT NULL OR EXISTS (
                            SELECT FROM project_task_calendar_alarm_rel rel
                             WHERE rel.task_id = row.res_id AND rel.alarm_id = row.alarm_id
                               AND (row.kind <> 'notification' OR NOT %(own)s)))
                       AND (row.kind = ANY(%(for_all)s) OR EXISTS (
                            SELECT FROM project_task_user_rel works
                              JOIN res_users worker ON worker.id = works.user_id
                             WHERE works.task_id = row.res_id
                               AND worker.partner_id = row.partner_id))
                    """,
                    ids=self.ids,
                    for_all=list(FOR_ALL),
                    own=self._has_own_of(
                        "project.task", SQL("row.res_id"), SQL("row.partner_id")
                    ),
                )
            )
            | self._of_query(
                SQL(
                    """
                    SELECT row.id FROM calendar_reminder row
                      JOIN mail_activity activity ON activity.id = row.res_id
                      JOIN res_users person ON person.id = activity.user_id
                           AND person.partner_id = row.partner_id
                     WHERE row.id = ANY(%(ids)s) AND row.res_model = 'mail.activity'
                       AND (row.own_key IS NOT NULL OR EXISTS (
                            SELECT FROM mail_activity_calendar_alarm_rel rel
                             WHERE rel.activity_id = row.res_id AND rel.alarm_id = row.alarm_id
                               AND (row.kind <> 'notification' OR NOT %(own)s)))
                    """,
                    ids=self.ids,
                    own=self._has_own_of(
                        "mail.activity", SQL("row.res_id"), SQL("row.partner_id")
                    ),
                )
            )
        )  # fmt: skip
