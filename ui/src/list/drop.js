// Menus that drop down (<details>): they close when the focus leaves them, and on Escape.

export function closeWhenLeft(event) {
  const box = event.currentTarget;
  if (event.relatedTarget && !box.contains(event.relatedTarget)) box.open = false;
}

export function closeOnEscape(event) {
  if (event.key !== "Escape") return;
  event.stopPropagation();
  event.currentTarget.open = false;
  event.currentTarget.querySelector("summary").focus();
}
