// The picture as a file: all of it as SVG, or what is on the screen as PNG.
export async function save(host, type) {
  const { download, toSvg } = await import("../scene/save.js");
  const { cluster, lens, layout, store, test, scene } = host;
  const name = `${cluster}-${lens}-${store.rev}.${type}`;
  if (type === "svg") download(name, new Blob([toSvg({ ...scene, layout, store, test })], { type: "image/svg+xml" }));
  else host.canvas.toBlob((blob) => download(name, blob));
}
