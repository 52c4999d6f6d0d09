// Style sheets that come with a part of the page: each is loaded once, and stays.

const present = (href) => [...document.querySelectorAll("link[rel=stylesheet]")].some((link) => link.getAttribute("href") === href);

/** Loads a style sheet; a page without one is better than none, so that it fails is no failure. */
export function styled(href) {
  if (present(href)) return undefined;
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    document.head.append(link);
  });
}
