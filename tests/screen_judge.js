/**
 * What is wrong with what is shown: on a small screen, for a thumb, for poor eyes, and for
 * whoever has only the keyboard. test_phone.py evaluates it where the pages are.
 *
 * Owns the measuring; which screens are opened, and what of them is the addon's, is said there.
 */
window.screenJudge = (() => {
    //: Least width and height of what is touched, in CSS pixels (WCAG 2.2, 2.5.8).
    const TOUCHED = 24;
    //: Least contrast of text, of large text, and of icons and edges of fields (1.4.3, 1.4.11).
    const TEXT = 4.5;
    const LARGE = 3;
    //: What Odoo itself scrolls sideways; in Spanish, the row of the chatter's buttons on every
    //: form, those of contacts and of opportunities too.
    const SIDEWAYS = [
        ".o_list_renderer", ".table-responsive", ".o_pivot", ".o_calendar_renderer",
        ".o_kanban_renderer.o_kanban_grouped", ".o_notebook_headers", ".o_control_panel",
        ".o_form_statusbar", ".o_graph_renderer", ".o_searchview", ".o-mail-Chatter-topbar", "pre",
    ].join(", ");
    const CONTROLS = "button, a[href], input, select, textarea, summary, [role='button'], [tabindex='0']";
    const FIELDS = "input:not([type='radio'], [type='checkbox'], [type='hidden']), select, textarea";
    //: What may show that an element has the focus.
    const FOCUS = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "borderColor",
        "backgroundColor", "color", "textDecorationLine"];

    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const colors = new Map();

    /** [red, green, blue, alpha], of any color that CSS computes. */
    function rgba(color) {
        if (!colors.has(color)) {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
            colors.set(color, [red, green, blue, alpha / 255]);
        }
        return colors.get(color);
    }

    function over([red, green, blue, alpha], below) {
        const mix = (one, other) => one * alpha + other * (1 - alpha);
        return [mix(red, below[0]), mix(green, below[1]), mix(blue, below[2]), 1];
    }

    function luminance(color) {
        const [red, green, blue] = color.slice(0, 3).map((part) => {
            const value = part / 255;
            return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    }

    function contrast(one, other) {
        const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    }

    function style(element, pseudo) {
        return element.ownerDocument.defaultView.getComputedStyle(element, pseudo);
    }

    /** The color behind what an element holds: of the nearest that is not see-through. */
    function ground(element) {
        const layers = [];
        for (let one = element; one; one = one.parentElement) {
            const color = rgba(style(one).backgroundColor);
            if (color[3]) {
                layers.push(color);
            }
            if (color[3] === 1) {
                break;
            }
        }
        return layers.reduceRight((below, color) => over(color, below), [255, 255, 255, 1]);
    }

    function opacity(element) {
        let all = 1;
        for (let one = element; one; one = one.parentElement) {
            all *= Number(style(one).opacity);
        }
        return all;
    }

    function isSeen(element) {
        return (
            element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
            element.getClientRects().length > 0 &&
            !element.closest(".visually-hidden, .o_hidden")
        );
    }

    /** Its words, to find it by. */
    function name(element) {
        const words = element.innerText || element.getAttribute("aria-label") || element.title ||
            element.name || element.className;
        return `<${element.tagName.toLowerCase()}> “${String(words).trim().slice(0, 50)}”`;
    }

    function round(value) {
        return Math.round(value * 100) / 100;
    }

    // -- sideways ---------------------------------------------------------------------

    /** What of a page is wider than the window. */
    function* wide(page) {
        const width = page.documentElement.clientWidth;
        if (page.documentElement.scrollWidth > width) {
            yield `the page is ${page.documentElement.scrollWidth} wide`;
        }
        for (const one of page.body.querySelectorAll("*")) {
            if (one.scrollWidth <= one.clientWidth + 1 || one.closest(SIDEWAYS)) {
                continue;
            }
            if (["auto", "scroll"].includes(style(one).overflowX) && isSeen(one)) {
                yield `.${one.className} is scrolled sideways, ${one.scrollWidth} wide`;
            }
        }
        for (const one of page.body.querySelectorAll(CONTROLS)) {
            const box = one.getBoundingClientRect();
            const isOut = box.right > width + 1 || box.left < -1;
            if (isOut && box.width && isSeen(one) && !one.closest(SIDEWAYS)) {
                yield `${name(one)} is off the screen: ${round(box.left)} to ${round(box.right)}`;
            }
        }
    }

    /** Warnings that come up although nobody has done anything. */
    function* warned(page) {
        for (const one of page.querySelectorAll(".o_notification:has(.bg-warning, .bg-danger)")) {
            yield `${name(one)} comes up`;
        }
    }

    // -- what is touched --------------------------------------------------------------

    /** A link in a sentence is as high as its line (2.5.8, exception “inline”). */
    function isInSentence(element) {
        return element.tagName === "A" && style(element).display === "inline";
    }

    function* small(root) {
        for (const one of root.querySelectorAll(CONTROLS)) {
            const touched = one.closest("label") || one;
            if (!isSeen(touched) || isInSentence(one) || one.type === "hidden") {
                continue;
            }
            const { width, height } = touched.getBoundingClientRect();
            if (Math.min(width, height) < TOUCHED) {
                yield `${name(one)} is ${round(width)} × ${round(height)}`;
            }
        }
    }

    // -- colors -----------------------------------------------------------------------

    function isDisabled(element) {
        return element.closest(":disabled, .disabled, [aria-disabled='true']");
    }

    function* pale(root) {
        const page = root.ownerDocument;
        const texts = page.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        const parents = new Set();
        while (texts.nextNode()) {
            if (texts.currentNode.data.trim()) {
                parents.add(texts.currentNode.parentElement);
            }
        }
        root.querySelectorAll("input[type='text'], input[type='email'], textarea, .fa, .oi").forEach(
            (one) => parents.add(one)
        );
        for (const one of parents) {
            if (!isSeen(one) || isDisabled(one) || one.matches("option, style, script")) {
                continue;
            }
            const { color, fontSize, fontWeight } = style(one);
            const size = parseFloat(fontSize);
            const isLarge = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700);
            const needed = isLarge || one.matches(".fa, .oi") ? LARGE : TEXT;
            const behind = ground(one);
            const [red, green, blue, alpha] = rgba(color);
            const front = over([red, green, blue, alpha * opacity(one)], behind);
            const found = contrast(front, behind);
            if (found < needed) {
                const [text, paper] = [front, behind].map((rgb) => rgb.slice(0, 3).map(Math.round));
                yield `${name(one)} has a contrast of ${round(found)}: ${text} on ${paper}`;
            }
        }
    }

    /** Fields whose edge is not seen. */
    function* edgeless(root) {
        for (const one of root.querySelectorAll(FIELDS)) {
            if (isSeen(one) && !isDisabled(one)) {
                const found = contrast(rgba(style(one).borderBottomColor), ground(one.parentElement));
                if (found < LARGE) {
                    yield `the edge of ${name(one)} has a contrast of ${round(found)}`;
                }
            }
        }
    }

    // -- the keyboard -----------------------------------------------------------------

    function looks(element) {
        return JSON.stringify(
            [element, element.closest("label")].filter(Boolean).map((one) => {
                const all = style(one);
                return FOCUS.map((property) => all[property]);
            })
        );
    }

    function* unfocused(root) {
        const page = root.ownerDocument;
        const still = page.createElement("style");
        still.textContent = "* { transition: none !important }";
        page.head.append(still);
        for (const one of root.querySelectorAll(CONTROLS)) {
            if (!isSeen(one) || isDisabled(one) || one.type === "hidden") {
                continue;
            }
            page.activeElement?.blur();
            const before = looks(one);
            one.focus({ preventScroll: true });
            if (page.activeElement !== one) {
                yield `${name(one)} does not take the focus`;
            } else if (looks(one) === before) {
                yield `${name(one)} does not show that it has the focus`;
            }
        }
        page.activeElement?.blur();
        still.remove();
    }

    /** All that is wrong with what is the addon's own. */
    function* own(root) {
        yield* small(root);
        yield* pale(root);
        yield* unfocused(root);
    }

    // -- getting there ----------------------------------------------------------------

    const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

    async function until(found, what) {
        for (const end = Date.now() + 30000; Date.now() < end; await pause(50)) {
            const value = found();
            if (value) {
                return value;
            }
        }
        throw new Error(`${what} does not come`);
    }

    /** Until nothing is drawn any more. */
    async function rest() {
        await document.fonts.ready;
        for (let calm = 0, before = ""; calm < 3; await pause(100)) {
            const now = `${document.body.innerText.length} ${document.body.querySelectorAll("*").length}`;
            calm = now === before && !document.querySelector(".o_loading_indicator") ? calm + 1 : 0;
            before = now;
        }
    }

    /** Whatever is said, once, with where it is. */
    class Findings {
        lines = new Set();

        add(where, faults) {
            for (const fault of faults) {
                this.lines.add(`${where}: ${fault}`);
            }
        }
    }

    /** Tells the test how it has ended. */
    function report(lines) {
        if (lines.length) {
            console.error(lines.join("\n"));
        } else {
            console.log("test successful");
        }
    }

    /**
     * Opens actions in the web client, with all tabs of forms.
     *
     * @param {Object[]} screens name, action, selector of what is waited for, and of what
     *     is the addon's own
     * @returns {string[]} what is wrong
     */
    async function openAll(screens) {
        const { action, dialog } = odoo.__WOWL_DEBUG__.root.env.services;
        const found = new Findings();
        for (const screen of screens) {
            try {
                dialog.closeAll();
                await action.doAction(screen.action, { clearBreadcrumbs: true });
                await until(() => document.querySelector(screen.wait), screen.wait);
                await rest();
                judgeScreen(found, screen.name, screen.own);
                const count = tabs().length;
                for (let number = 1; number < count; number++) {
                    const tab = tabs()[number];
                    tab.click();
                    await rest();
                    judgeScreen(found, `${screen.name}, ${tab.innerText.trim()}`, screen.own);
                }
            } catch (error) {
                found.add(screen.name, [error.message]);
            }
        }
        return [...found.lines];
    }

    function tabs() {
        const shown = [...document.querySelectorAll(".modal, .o_action_manager")].at(-1);
        return [...shown.querySelectorAll(".o_notebook_headers .nav-link")].filter(isSeen);
    }

    function judgeScreen(found, where, ours) {
        found.add(where, wide(document));
        found.add(where, warned(document));
        for (const root of ours ? document.querySelectorAll(ours) : []) {
            found.add(where, own(root));
        }
    }

    /**
     * Shows whole pages and letters, one after the other, in a frame of the window's width.
     *
     * @param {Object} pages name to HTML
     * @returns {string[]} what is wrong
     */
    async function showAll(pages) {
        const found = new Findings();
        document.body.innerHTML = "";
        document.body.style.margin = 0;
        for (const [title, html] of Object.entries(pages)) {
            const frame = document.createElement("iframe");
            frame.style = `border: 0; width: ${innerWidth}px; height: ${innerHeight}px`;
            frame.srcdoc = html;
            const loaded = new Promise((done) => frame.addEventListener("load", done));
            document.body.append(frame);
            await loaded;
            const page = frame.contentDocument;
            found.add(title, wide(page));
            found.add(title, own(page.body));
            found.add(title, edgeless(page.body));
            frame.remove();
        }
        return [...found.lines];
    }

    return { openAll, showAll, report };
})();
