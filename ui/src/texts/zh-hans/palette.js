// 搜索面板及其命令行。
import { group } from "../numbers.js";

function where({ kind, namespace }) {
  if (!kind.namespaced) return "";
  return namespace ? ` ${namespace} 中的` : "所有命名空间中的";
}

export const palette = {
  label: "搜索和命令",
  hint: "搜索对象、页面、操作；输入 : 使用命令",
  results: "结果",
  objects: "对象",
  objectsOf: (shown, total) => `对象（${group(total)} 个中的 ${group(shown)} 个）`,
  pages: "页面",
  kinds: "类型",
  panels: "停靠栏面板",
  actions: "操作",
  clusters: "集群",
  cluster: "集群",
  before: "之前的命令",
  complete: "补全",
  looking: "正在查找…",
  nothing: (query) => `没有与 ${query} 匹配的内容。对象按名称、命名空间和类型查找。`,
  keys: (command) => (command ? "↑↓ 选择或回溯 · Tab 补全 · Enter 前往 · Esc 关闭" : "↑↓ 选择 · Enter 打开 · : 使用命令 · Esc 关闭"),
  noKind: (word, cluster) => `${cluster || "此页面"} 没有类型 ${word}。`,
  didYouMean: (word) => `您是否要找 ${word}？`,
  noCluster: (name) => `没有名为 ${name} 的集群。`,
  noKinds: (why) => `无法读取集群的类型：${why}`,
  noSearch: (why) => `搜索没有成功：${why}`,
  shows(read) {
    if (read.name) return `打开${read.namespace ? ` ${read.namespace} 中的` : ""} ${read.kind.kind} ${read.name}。`;
    const labels = read.selector.length ? `，标签为 ${read.selector.join("、")}` : "";
    const part = read.filter && !labels ? `，名称含“${read.filter}”` : "";
    return `列出${where(read)} ${read.kind.plural}${labels}${part}。`;
  },
};
