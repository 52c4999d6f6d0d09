// 对象关系图。
import { group } from "../numbers.js";

export const relations = {
  label: (n) => `关系：${group(n)} 张卡片。方向键沿连线移动，Enter 打开。`,
  more: (n, kind) => `另有 ${group(n)} 个 ${kind}：以列表打开`,
  plusMore: (n, kind) => `另有 ${group(n)} 个 ${kind}`,
  asList: "以列表打开",
  andMore: (n) => `以及另外 ${group(n)} 个`,
  // 每个函数接收连线的两端；被朗读的一端为空。
  verbs: {
    owns: (a, b) => (a ? `属于 ${a}` : `拥有 ${b}`),
    uses: (a, b) => (a ? `被 ${a} 使用` : `使用 ${b}`),
    runs: (a, b) => (a ? `运行 ${a}` : `运行于 ${b}`),
    selects: (a, b) => (a ? `被 ${a} 选择` : `选择 ${b}`),
    lists: (a, b) => (a ? `列于 ${a}` : `列出 ${b}`),
    endpoints: (a, b) => (a ? `含有 ${a} 的端点` : `端点位于 ${b}`),
    applies: (a, b) => (a ? `受 ${a} 的规则约束` : `适用于 ${b}`),
    protects: (a, b) => (a ? `受 ${a} 保护` : `保护 ${b}`),
    scales: (a, b) => (a ? `由 ${a} 扩缩` : `扩缩 ${b}`),
    routes: (a, b) => (a ? `经 ${a} 访问` : `通向 ${b}`),
    class: (a, b) => (a ? `是 ${a} 的类` : `属于类 ${b}`),
    bound: (a, b) => (a ? `由 ${a} 绑定` : `绑定到 ${b}`),
    claims: (a, b) => (a ? `被 ${a} 申领` : `申领 ${b}`),
    names: (a, b) => (a ? `为 ${a} 的 Pod 提供名称` : `其 Pod 的名称来自 ${b}`),
    attaches: (a, b) => (a ? `由 ${a} 挂接` : `挂接 ${b}`),
    grants: (a, b) => (a ? `由 ${a} 授予` : `授予 ${b}`),
    "grants-to": (a, b) => (a ? `权限来自 ${a}` : `授权给 ${b}`),
    about: (a, b) => (a ? `有事件 ${a}` : `关于 ${b}`),
    calls: (a, b) => (a ? `被 ${a} 调用` : `调用 ${b}`),
    defines: (a, b) => (a ? `由 ${a} 定义` : `定义 ${b}`),
  },
};
