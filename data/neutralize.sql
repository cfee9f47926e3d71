-- A copy of a database must not write to anybody.
UPDATE crm_automation_rule
   SET enabled = false;
UPDATE crm_automation_firing
   SET state = 'cancelled',
       reason = 'The database was neutralized.',
       finished_at = now() AT TIME ZONE 'UTC'
 WHERE state = 'pending';
UPDATE crm_automation_delivery
   SET state = 'failed',
       reason = 'The database was neutralized.'
 WHERE state IN ('queued', 'retry');
-- Nobody reads the copy under the addresses of the original.
UPDATE calendar_feed
   SET active = false,
       token_hash = NULL,
       body = NULL,
       body_etag = NULL;
UPDATE calendar_subscription
   SET enabled = false;
UPDATE calendar_visit_plan
   SET state = 'stopped'
 WHERE state IN ('booking', 'running', 'cancelling');
UPDATE calendar_import
   SET state = 'stopped'
 WHERE state = 'running';
-- The invited hear of meetings from the original.
DELETE FROM calendar_invitation_outgoing;
UPDATE caldav_account
   SET enabled = false,
       secret = NULL;
UPDATE calendar_reminder
   SET state = 'cancelled',
       reason = 'The database was neutralized.'
 WHERE state = 'pending';
