// The same with kubectl. Pure.
const COMMANDS = {
  apply: ["apply", "--server-side", "--field-manager=kubeground-editor"],
  create: ["create"],
  replace: ["replace"],
};

/** Returns the command that does what the button does, with the text as a file. */
export function command({ how, namespace, force, file, named }) {
  const words = ["kubectl", ...COMMANDS[how]];
  if (force && how === "apply") words.push("--force-conflicts");
  if (!named && namespace !== "default") words.push("-n", namespace);
  return [...words, "-f", file].join(" ");
}

/** What a file of a text is called: "web.yaml", as its first document. */
export function fileName(sections) {
  const name = sections.length === 1 ? sections[0].about.name : "";
  const word = name.replace(/[^A-Za-z0-9.-]+/g, "-").replace(/^[.-]+/, "");
  return `${word || (sections.length > 1 ? "all" : "new")}.yaml`;
}
