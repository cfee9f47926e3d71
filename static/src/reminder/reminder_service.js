/** @odoo-module **/

import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError } from "@web/core/network/rpc";
import { markup } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { escape } from "@web/core/utils/strings";

/**
 * Shows the reminders that the server sends at their moment, and those that were not
 * dismissed yet when the browser is opened. Odoo's own service gets nothing to show.
 */
export const reminderService = {
    dependencies: ["action", "bus_service", "notification", "orm"],

    start(env, { action, bus_service, notification, orm }) {
        const shown = new Map();

        function close(ids) {
            for (const id of ids) {
                const remove = shown.get(id);
                shown.delete(id);
                remove?.();
            }
        }

        function show(reminders) {
            for (const reminder of reminders) {
                if (!shown.has(reminder.id)) {
                    shown.set(reminder.id, add(reminder));
                }
            }
        }

        function add(reminder) {
            const { id } = reminder;
            const call = (method, args = []) => {
                close([id]);
                return orm.silent.call("calendar.reminder", method, [[id], ...args]);
            };
            const buttons = [
                {
                    name: _t("Details"),
                    primary: true,
                    onClick: () => {
                        call("action_dismiss");
                        // Where it leads is the server's business: of an activity, to its document.
                        return action.doActionButton({
                            type: "object",
                            name: "action_open_record",
                            resModel: "calendar.reminder",
                            resId: id,
                            resIds: [id],
                            context: {},
                        });
                    },
                },
                { name: _t("In 5 minutes"), onClick: () => call("action_snooze", [5]) },
                { name: _t("In 1 hour"), onClick: () => call("action_snooze", [60]) },
                { name: _t("Dismiss"), onClick: () => call("action_dismiss") },
            ];
            if (reminder.link) {
                buttons.unshift({
                    name: _t("Join"),
                    primary: true,
                    onClick: () => window.open(reminder.link, "_blank", "noopener"),
                });
            }
            // The lines are text of whoever has written the meeting.
            const lines = reminder.lines.map((line) => escape(line)).join("<br/>");
            return notification.add(markup(lines), {
                title: reminder.title,
                type: "warning",
                sticky: true,
                className: "o_crm_automation_reminder",
                buttons,
                onClose: () => {
                    // By its cross: nobody has said that it was seen.
                    shown.delete(id);
                },
            });
        }

        async function showDue() {
            try {
                show(await orm.silent.call("calendar.reminder", "get_due", []));
            } catch (error) {
                if (!(error instanceof ConnectionLostError)) {
                    throw error;
                }
            }
        }

        bus_service.subscribe("crm_automation.reminder", show);
        bus_service.subscribe("crm_automation.reminder/close", close);
        bus_service.start();
        // Not while the menus and words of the client are being fetched.
        env.bus.addEventListener("WEB_CLIENT_READY", showDue, { once: true });
    },
};

registry.category("services").add("crm_automation_reminder", reminderService);
