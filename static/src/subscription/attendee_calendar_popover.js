import { patch } from "@web/core/utils/patch";

import { AttendeeCalendarCommonPopover } from "@calendar/views/attendee_calendar/common/attendee_calendar_common_popover";

patch(AttendeeCalendarCommonPopover.prototype, {
    /** What is only shown cannot be edited, but its owner sees what it is. */
    get isMyOverlay() {
        return this.props.record.rawRecord.is_overlay && this.isCurrentUserOrganizer;
    },

    get isEventDetailsVisible() {
        return super.isEventDetailsVisible || this.isMyOverlay;
    },

    get isEventViewable() {
        return super.isEventViewable || this.isMyOverlay;
    },
});
