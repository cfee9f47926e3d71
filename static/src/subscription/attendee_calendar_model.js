import { patch } from "@web/core/utils/patch";

import { AttendeeCalendarModel } from "@calendar/views/attendee_calendar/attendee_calendar_model";

patch(AttendeeCalendarModel.prototype, {
    /**
     * Only subscribed calendars can be hidden by their section, not what is no one's.
     */
    async loadDynamicFilterSection(data, fieldName) {
        const section = await super.loadDynamicFilterSection(...arguments);
        if (fieldName === "subscription_id") {
            section.filters = section.filters.filter((filter) => filter.value);
        }
        return section;
    },

    /**
     * What is only shown has the colour of its subscription, not that of an attendee.
     */
    async updateAttendeeData(data) {
        await super.updateAttendeeData(...arguments);
        for (const record of Object.values(data.records)) {
            if (record.rawRecord.is_overlay) {
                record.colorIndex = record.rawRecord.subscription_color;
            }
        }
    },
});
