// Sentences with names in them: what stands between backticks is shown as code.
import { html } from "lit";

export const coded = (text) => text.split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));
