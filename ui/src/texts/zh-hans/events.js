// 事件面板。
import { group } from "../numbers.js";

export const events = {
  all: "全部",
  warnings: "警告",
  problems: "此处被拒绝的",
  problem: "被拒绝",
  hint: "back-off、-probe、pod/web-1",
  group: "分组",
  allNamespaces: "所有命名空间",
  allObjects: "所有对象的事件",
  last: "最近一次",
  type: "类型",
  reason: "原因",
  object: "对象",
  message: "消息",
  objects: (n) => `${group(n)} 个对象`,
  older: (n) => `较早的 ${group(n)} 个：`,
  none: "最近一小时这里没有事件：Kubernetes 只保留一小时的事件。",
  nothingMatches: "没有匹配的事件。",
  forget: "清除被拒绝的记录",
  down: "集群工作进程没有响应。恢复后会显示新的事件。",
};
