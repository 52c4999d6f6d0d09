// 设置页。
export const settings = {
  filter: "查找操作或按键",
  single: "启用单键",
  resetAll: "重置所有按键",
  reset: "重置",
  resetOf: (title) => `重置“${title}”的按键`,
  add: "添加按键",
  addTo: (title) => `为“${title}”添加按键`,
  change: (title, keys) => `更改“${title}”的按键 ${keys}`,
  remove: (title, keys) => `从“${title}”移除 ${keys}`,
  pressKey: "请按键…（Esc 放弃）",
  clash: (titles) => `同时用于：${titles.join("、")}。页面自己的操作优先。`,
  noAction: (query) => `没有与 ${query} 匹配的操作或按键。`,
  notKept: (why) => `按键在本页有效，但没有保存：${why}`,
};
