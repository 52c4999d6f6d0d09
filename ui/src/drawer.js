// The drawer at the side: a fragment of the site's in a dialog.
import { fill, fragment } from "./fragment.js";
import { visit } from "./router.js";

const drawer = document.getElementById("drawer");

/** Opens the drawer on a fragment of the site's. */
export async function openDrawer(url) {
  const response = await fragment(url);
  if (response?.redirected) return location.assign(url);
  // A trouble has a page of its own; that nothing comes at all is said where one is.
  if (!response?.ok) return visit(url);
  fill(drawer, await response.text());
  return show();
}

function show() {
  const body = drawer.querySelector("[data-title]");
  if (body) drawer.setAttribute("aria-label", body.dataset.title);
  if (!drawer.open) drawer.showModal();
}

/** Shows what a page came with in its drawer, if anything. */
export function showDrawer() {
  if (drawer.querySelector("[data-open]")) show();
}

export function closeDrawer() {
  drawer.close();
}

export function startDrawer() {
  drawer.addEventListener("close", () => {
    drawer.replaceChildren();
    const url = new URL(location.href);
    if (url.searchParams.has("connect")) {
      url.searchParams.delete("connect");
      history.replaceState(history.state, "", url);
    }
  });
  drawer.addEventListener("click", (event) => {
    if (event.target === drawer) closeDrawer();
  });
  showDrawer();
}
