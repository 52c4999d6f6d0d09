// The requests of the left column: who, what, how it ended, how long it took.
import { html, nothing } from "lit";

import { t } from "../texts.js";
import { codeOf } from "./hops.js";
import { moment, took } from "./times.js";

export function requestList({ items, selected, open, skipped }) {
  return html`<div class="kp-requests" role="group" tabindex="0" aria-label=${t.trace.requestsList}>
    <ul>
      ${items.map(
        (item) => html`<li>
          <a href=${open.address(item.auditID)} data-id=${item.auditID} aria-current=${item.auditID === selected ? "true" : nothing} @click=${(event) => open.click(event, item.auditID)}>
            <span class="kp-request-code" data-level=${levelOf(codeOf(item))}>${codeOf(item)}</span>
            <span class="kp-request-what"><strong>${item.verb}</strong> ${aboutOf(item)}</span>
            <span class="kp-request-who">${item.user}</span>
            <span class="kp-request-when"><time datetime=${new Date(item.at * 1000).toISOString()}>${moment(item.at).slice(0, 8)}</time> · ${took(item.seconds * 1e6)}</span>
          </a>
        </li>`,
      )}
    </ul>
    ${skipped ? html`<p class="kp-muted kp-requests-more">${t.trace.collapsed(skipped)}</p>` : nothing}
  </div>`;
}

export const levelOf = (code) => (code >= 500 ? "fault" : code >= 400 ? "refused" : "good");

/** Says what a request is about: "pods/web-1", "pods/status web-1", or its path. */
export function aboutOf(item) {
  if (!item.resource) return item.path;
  const name = item.name || item.wrote.at(-1)?.name || item.refusal?.details?.name || "";
  const part = item.subresource ? `${item.resource}/${item.subresource}` : item.resource;
  if (!name) return part;
  return item.subresource ? `${part} ${name}` : `${part}/${name}`;
}
