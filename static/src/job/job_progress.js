import { browser } from "@web/core/browser/browser";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component, onMounted, onWillUnmount, status, xml } from "@odoo/owl";

/** Milliseconds from one look to the next. */
const PAUSE = 3000;

/**
 * Shows how far a job is with the record of a form, by itself.
 *
 * It has its place in a part of the form that is only there while the job is at work, and
 * ends with it.
 */
export class JobProgress extends Component {
    static template = xml``;
    static props = { ...standardWidgetProps };

    setup() {
        onMounted(() => this.wait());
        onWillUnmount(() => browser.clearTimeout(this.timer));
    }

    wait() {
        this.timer = browser.setTimeout(() => this.look(), PAUSE);
    }

    async look() {
        const { record } = this.props;
        // What somebody is about to change stays on his screen.
        if (!document.hidden && !record.dirty) {
            try {
                await record.load();
            } catch (error) {
                if (!(error instanceof ConnectionLostError)) {
                    throw error;
                }
            }
        }
        if (status(this) === "mounted") {
            this.wait();
        }
    }
}

registry.category("view_widgets").add("crm_automation_job_progress", { component: JobProgress });
