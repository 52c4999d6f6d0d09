// 每个页面周围的框架：导航、停靠栏、按键。
export const frame = {
  visitFailed: (path) => `${path} 未能加载。您看到的仍是之前的页面。`,
  tryAgain: "重试",
  or: "或",
};

export const dock = {
  label: "停靠栏",
  resize: "停靠栏的高度",
  open: "打开停靠栏",
  shut: "收起停靠栏",
  grow: "将停靠栏升到最高",
  shrink: "恢复之前的高度",
  tabs: "面板",
  closeTab: (title) => `关闭 ${title}`,
  loadFailed: (title) => `${title} 未能加载。`,
  events: "事件",
  logs: "日志",
  live: "实时",
  noPod: "请选择一个 Pod 查看日志。",
};
