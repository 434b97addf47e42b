// Everything the page says, in English and simplified Chinese.

const counted = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const amount = (number) => number.toLocaleString("zh-CN");

const english = {
  title: "Search pictures",
  lead: "Say what the picture shows, or drop, paste or choose one that looks alike.",
  searchLabel: "What the picture shows",
  placeholder: "Describe a picture",
  search: "Search",
  choosePicture: "Search with a picture",
  otherLanguage: "中文",
  switchLanguage: "Switch to Chinese",
  showKeys: "Keyboard shortcuts",
  home: "All pictures",
  examples: "For example",
  exampleQueries: ["black top and white trousers", "yellow toy duck", "purple skirt", "红色上衣蓝色裤子"],

  chips: "Picture and conditions of the query",
  queryPicture: "Like this picture",
  removePicture: "Remove the picture from the query",
  pasted: "Pasted picture",
  drop: "Drop a picture to search with it",
  notPicture: (name) => `“${name}” is not a picture.`,

  options: "Options",
  conditions: "Conditions",
  conditionHint: "A fact, a sign (= != < <= > >=) and a value",
  conditionPlaceholder: "year>=2020",
  addCondition: "Add",
  badCondition: "A condition needs a fact, a sign and a value, such as year>=2020.",
  removeCondition: (text) => `Remove the condition ${text}`,
  facts: "Facts",
  minimum: "Least match probability",
  any: "any",
  candidates: "Pictures to re-rank",
  noCandidates: "none, recall only",

  order: "Order",
  byRank: "Re-ranked",
  byRecall: "Recall order",
  summary: (shown, total) =>
    shown < total ? `${amount(shown)} of ${counted(total, "result", "results")}` : counted(total, "result", "results"),
  inRank: "re-ranked",
  inRecall: "in recall order",
  timing: (time) => `${time} ms`,
  timings: (encode, recall, rerank) => `encode ${encode} ms, recall ${recall} ms, re-rank ${rerank} ms`,
  cached: "from the cache",
  browse: (shown, total) =>
    shown < total ? `${amount(shown)} of ${counted(total, "picture", "pictures")}` : counted(total, "picture", "pictures"),
  more: "Show more",
  loading: "Searching",

  place: (rank) => `place ${rank}`,
  match: (percent) => `match ${percent}`,
  up: (places) => `up ${places}`,
  down: (places) => `down ${places}`,
  unmoved: "unmoved",
  similar: "Find similar",
  similarTo: (name) => `Find pictures similar to ${name}`,
  similarityShort: (value) => `similarity ${value}`,

  nothing: "Nothing matches",
  nothingAtLeast: (percent) => `No picture is a match with a probability of ${percent} or more.`,
  nothingWith: (conditions) => `No picture that was found fulfils ${conditions}.`,
  nothingPlain: "No picture was found. Other words may do better.",
  dropMinimum: "Show every probability",
  dropConditions: "Search without conditions",
  emptyIndex: "There are no pictures yet",
  emptyIndexHint: "They appear here as they are indexed.",

  failed: "That did not work",
  problems: {
    400: "The query cannot be read",
    401: "A key is needed",
    403: "This is not allowed",
    404: "It is not there",
    413: "That is too large",
    422: "The picture cannot be read",
    429: "Too many searches at once",
    503: "The server is busy",
    504: "It took too long",
  },
  offline: "The server does not answer",
  offlineHint: "It may have been stopped, or the connection is down. The page keeps trying.",
  retry: "Try again",
  retryIn: (seconds) => `Trying again in ${seconds} s`,
  status: (code) => `The server answered ${code} and did not say why.`,
  garbled: "The server's answer cannot be read.",

  cut: "The query is longer than the model reads: its end was left out.",
  unknown: "The model knows no word of this query, so the order says little.",
  untrained: "The fusion encoder of this model is not trained: results come in recall order.",
  mismatch: "The index was made with another model: results are not re-ranked.",
  conditionsWait: "Conditions apply to searches: browsing shows every picture.",
  changed: "The index has changed since this search.",
  refresh: "Refresh",
  indexing: (done, total) => `Indexing ${amount(done)} of ${amount(total)}`,
  indexFailed: (number) => `${amount(number)} could not be read`,
  about: (pictures, side) => `${counted(pictures, "picture", "pictures")} indexed · model reads ${side} × ${side} pixels`,

  dialogLabel: "Picture",
  close: "Close",
  previous: "Previous result",
  next: "Next result",
  position: (place, total) => `${amount(place)} of ${amount(total)}`,
  words: "Words in the picture",
  sentence: "Whole sentence",
  showHeat: "Heat map",
  cool: "less",
  hot: "more",
  shareHint:
    "A word’s share of the heat of all words. " +
    "The map shows evidence for a match, even in a picture that does not match.",
  explaining: "Looking…",
  original: "Open the original",
  probability: "Match probability",
  uncalibrated: "not calibrated",
  similarity: "Similarity",
  rank: "Place re-ranked",
  recallRank: "Place by recall",
  modified: "Modified",
  size: "File size",
  heatOf: (word, name) => `Heat map of “${word}” over ${name}`,

  keys: "Keyboard shortcuts",
  keyList: [
    ["/", "go to the search field"],
    ["← → ↑ ↓", "move between pictures"],
    ["Enter", "open the picture"],
    ["s", "find pictures similar to the chosen one"],
    ["o", "switch the order"],
    ["h", "show or hide the heat map"],
    ["Esc", "close"],
    ["?", "show these keys"],
  ],
  singleKeys: "Use the keys / s o h ?",
};

const chinese = {
  title: "搜索图片",
  lead: "用一句话描述画面，也可以拖入、粘贴或选择一张相似的图片。",
  searchLabel: "画面描述",
  placeholder: "描述想找的图片",
  search: "搜索",
  choosePicture: "以图搜图",
  otherLanguage: "English",
  switchLanguage: "切换为英文",
  showKeys: "键盘快捷键",
  home: "全部图片",
  examples: "试试",
  exampleQueries: ["黑色上衣白色裤子", "黄色玩具鸭", "紫色裙子", "red top and blue trousers"],

  chips: "查询所用的图片和条件",
  queryPicture: "与此图相似",
  removePicture: "从查询中移除图片",
  pasted: "粘贴的图片",
  drop: "松开鼠标，用这张图片搜索",
  notPicture: (name) => `“${name}”不是图片。`,

  options: "选项",
  conditions: "筛选条件",
  conditionHint: "依次写属性、符号（= != < <= > >=）和值",
  conditionPlaceholder: "year>=2020",
  addCondition: "添加",
  badCondition: "条件由属性、符号和值组成，例如 year>=2020。",
  removeCondition: (text) => `移除条件 ${text}`,
  facts: "可用属性",
  minimum: "最低匹配概率",
  any: "不限",
  candidates: "重排数量",
  noCandidates: "不重排，仅召回",

  order: "排序",
  byRank: "重排顺序",
  byRecall: "召回顺序",
  summary: (shown, total) =>
    (shown < total ? `共 ${amount(total)} 个结果，显示前 ${amount(shown)} 个` : `共 ${amount(total)} 个结果`),
  inRank: "按重排结果排序",
  inRecall: "按召回结果排序",
  timing: (time) => `${time} 毫秒`,
  timings: (encode, recall, rerank) => `编码 ${encode} 毫秒，召回 ${recall} 毫秒，重排 ${rerank} 毫秒`,
  cached: "来自缓存",
  browse: (shown, total) =>
    (shown < total ? `共 ${amount(total)} 张图片，显示前 ${amount(shown)} 张` : `共 ${amount(total)} 张图片`),
  more: "显示更多",
  loading: "正在搜索",

  place: (rank) => `第 ${rank} 名`,
  match: (percent) => `匹配概率 ${percent}`,
  up: (places) => `上升 ${places} 名`,
  down: (places) => `下降 ${places} 名`,
  unmoved: "名次不变",
  similar: "查找相似图片",
  similarTo: (name) => `查找与 ${name} 相似的图片`,
  similarityShort: (value) => `相似度 ${value}`,

  nothing: "没有匹配的图片",
  nothingAtLeast: (percent) => `没有匹配概率达到 ${percent} 的图片。`,
  nothingWith: (conditions) => `找到的图片都不满足 ${conditions}。`,
  nothingPlain: "没有找到图片，换个说法试试。",
  dropMinimum: "不限匹配概率",
  dropConditions: "清除条件后搜索",
  emptyIndex: "还没有图片",
  emptyIndexHint: "图片建立索引后会显示在这里。",

  failed: "操作未成功",
  problems: {
    400: "无法理解此查询",
    401: "需要密钥",
    403: "没有权限",
    404: "找不到所请求的内容",
    413: "内容过大",
    422: "无法读取这张图片",
    429: "搜索过于频繁",
    503: "服务器繁忙",
    504: "请求超时",
  },
  offline: "服务器没有响应",
  offlineHint: "服务器可能已停止，或者网络中断。页面会继续尝试连接。",
  retry: "重试",
  retryIn: (seconds) => `${seconds} 秒后重试`,
  status: (code) => `服务器返回 ${code}，未说明原因。`,
  garbled: "无法读取服务器的响应。",

  cut: "查询超出模型可读的长度，末尾部分已被略去。",
  unknown: "模型不认识查询中的任何词，排序仅供参考。",
  untrained: "此模型的融合编码器未经训练，结果按召回顺序排列。",
  mismatch: "索引由另一个模型建立，结果未经重排。",
  conditionsWait: "筛选条件仅用于搜索，浏览时显示全部图片。",
  changed: "索引在此次搜索后有更新。",
  refresh: "刷新结果",
  indexing: (done, total) => `正在建立索引：${amount(done)} / ${amount(total)}`,
  indexFailed: (number) => `${amount(number)} 个文件无法读取`,
  about: (pictures, side) => `已索引 ${amount(pictures)} 张图片 · 模型输入 ${side} × ${side} 像素`,

  dialogLabel: "图片",
  close: "关闭",
  previous: "上一个结果",
  next: "下一个结果",
  position: (place, total) => `${amount(place)} / ${amount(total)}`,
  words: "词语在图中的位置",
  sentence: "整句",
  showHeat: "热力图",
  cool: "低",
  hot: "高",
  shareHint: "百分比为该词占全部词热度的份额。热力图显示支持“匹配”的依据，图片不匹配时也会有。",
  explaining: "正在分析…",
  original: "打开原图",
  probability: "匹配概率",
  uncalibrated: "未校准",
  similarity: "相似度",
  rank: "重排名次",
  recallRank: "召回名次",
  modified: "修改时间",
  size: "文件大小",
  heatOf: (word, name) => `“${word}”在 ${name} 上的热力图`,

  keys: "键盘快捷键",
  keyList: [
    ["/", "转到搜索框"],
    ["← → ↑ ↓", "在图片间移动"],
    ["Enter", "打开图片"],
    ["s", "查找与所选图片相似的图片"],
    ["o", "切换排序"],
    ["h", "显示或隐藏热力图"],
    ["Esc", "关闭"],
    ["?", "显示快捷键"],
  ],
  singleKeys: "启用 / s o h ? 快捷键",
};

/** The texts by language, as <html lang> has it. */
export const tables = { en: english, "zh-CN": chinese };

export const languages = Object.keys(tables);

let language = "en";

/** What the page is written in. */
export const currentLanguage = () => language;

// Storage is refused to some pages; they then forget.
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(`albef.${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`albef.${key}`, value);
    } catch {
      // Nothing is lost but the choice.
    }
  },
};

/** The remembered language, or the browser's. */
export function preferredLanguage() {
  const chosen = memory.get("language");
  if (chosen in tables) return chosen;
  return /^zh\b/i.test(navigator.language) ? "zh-CN" : "en";
}

export function setLanguage(name) {
  language = name in tables ? name : "en";
  document.documentElement.lang = language;
}

/** A text of the table; those that are functions get the values. */
export function say(key, ...values) {
  const text = tables[language][key];
  return typeof text === "function" ? text(...values) : text;
}

/** Writes the texts of everything in `root` that names one. */
export function translate(root) {
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of root.querySelectorAll("[data-say-placeholder]")) {
    node.placeholder = say(node.dataset.sayPlaceholder);
  }
  for (const node of root.querySelectorAll("[data-say-label]")) {
    node.setAttribute("aria-label", say(node.dataset.sayLabel));
    if (node.tagName === "BUTTON" || node.tagName === "A") node.title = say(node.dataset.sayLabel);
  }
}

/** A probability without claiming certainty. */
export function percent(value) {
  if (value > 0.995 && value < 1) return ">99 %";
  if (value > 0 && value < 0.005) return "<1 %";
  return `${Math.round(value * 100)} %`;
}
