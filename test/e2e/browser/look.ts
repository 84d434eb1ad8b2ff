/** Finds visual problems of a page. It runs in the browser, so it must be self-contained. */

export interface Look {
  /** How much wider the page is than the window. Pixels. */
  readonly overflow: number;
  readonly texts: number;
  /** Texts of the picture that overlap, or are outside the picture. */
  readonly misplaced: readonly string[];
  /** Texts with a contrast below 4.5:1. https://www.w3.org/TR/WCAG22/#contrast-minimum */
  readonly faint: readonly string[];
  /** Border color of the nodes by state. */
  readonly states: Readonly<Record<string, string>>;
  /** Elements of a failing hop that reach out of the window to the left or right. */
  readonly aside: readonly string[];
  readonly failing: number;
  /** Font size of the smallest text on screen. Pixels. */
  readonly smallest: number;
}

export function look(): Look {
  type Color = [number, number, number, number];
  const colorOf = (text: string, opacity = 1): Color => {
    const [r = 0, g = 0, b = 0, a = 1] = (/[\d., ]+/.exec(text)?.[0] ?? "").split(",").map(Number);
    return [r, g, b, (text === "none" ? 0 : a) * opacity];
  };
  const over = ([r, g, b, a]: Color, [x, y, z]: Color): Color => [
    r * a + x * (1 - a),
    g * a + y * (1 - a),
    b * a + z * (1 - a),
    1,
  ];
  const luminance = ([r, g, b]: Color) => {
    const part = (value: number) => (value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const contrast = (a: Color, b: Color) => {
    const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const canvas: Color = matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0, 1] : [255, 255, 255, 1];
  const ancestors = (element: Element): Element[] =>
    element.parentElement === null ? [element] : [...ancestors(element.parentElement), element];
  const ground = (element: Element) =>
    ancestors(element).reduce((below, each) => over(colorOf(getComputedStyle(each).backgroundColor), below), canvas);

  // Of two pictures in a page, the one for other widths is hidden.
  const shown = (element: Element) => element.getClientRects().length > 0;
  const pictures = Array.from(document.querySelectorAll("svg")).filter(shown);
  const texts = pictures.flatMap((picture) =>
    Array.from(picture.querySelectorAll<SVGTextElement>("text")).map((text) => ({
      text,
      picture,
      box: text.getBoundingClientRect(),
    })),
  );
  const rects = Array.from(document.querySelectorAll<SVGRectElement>("svg rect")).filter(shown);
  const misplaced = texts.flatMap(({ text, picture, box }, index) => {
    const around = picture.getBoundingClientRect();
    const name = text.textContent;
    const outside =
      box.width === 0 ||
      box.left < around.left ||
      box.right > around.right ||
      box.top < around.top ||
      box.bottom > around.bottom;
    const own = text.parentElement?.querySelector("rect")?.getBoundingClientRect();
    // Inside, and off the border.
    const leaves =
      own !== undefined &&
      (box.left < own.left + 1 || box.right > own.right - 1 || box.top < own.top + 1 || box.bottom > own.bottom - 1);
    const others = texts
      .slice(index + 1)
      .filter(
        ({ box: other }) =>
          box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom,
      );
    return [
      ...(outside || leaves ? [`${name} leaves its box`] : []),
      ...others.map((other) => `${name} over ${other.text.textContent}`),
    ];
  });

  const drawnOn = (text: Element, box: DOMRect) =>
    rects
      .filter((rect) => {
        const { left, right, top, bottom } = rect.getBoundingClientRect();
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        const before = (rect.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
        return before && left <= x && x <= right && top <= y && y <= bottom;
      })
      .reduce((below, rect) => {
        const { fill, fillOpacity } = getComputedStyle(rect);
        return over(colorOf(fill, Number(fillOpacity)), below);
      }, ground(text));
  const words = Array.from(document.querySelectorAll("body *")).filter(
    (element) =>
      element.closest("svg, style, script") === null &&
      shown(element) &&
      Array.from(element.childNodes).some(({ nodeType, nodeValue }) => nodeType === 3 && nodeValue?.trim() !== ""),
  );
  const contrasts = [
    ...texts.map(({ text, box }) => ({
      name: text.textContent,
      ratio: contrast(colorOf(getComputedStyle(text).fill), drawnOn(text, box)),
    })),
    ...words.map((element) => ({
      name: element.textContent,
      ratio: contrast(colorOf(getComputedStyle(element).color), ground(element)),
    })),
  ];
  const sizes = [
    ...texts.map(({ text }) => parseFloat(getComputedStyle(text).fontSize) * (text.getScreenCTM()?.a ?? 0)),
    ...words.map((element) => parseFloat(getComputedStyle(element).fontSize)),
  ];
  const failing = Array.from(
    document.querySelectorAll("section.failed, .node.failed, .line.failed > rect, tr.failed"),
  ).filter(shown);
  return {
    aside: failing
      .filter((element) => {
        const { left, right } = element.getBoundingClientRect();
        return left < 0 || right > innerWidth;
      })
      .map(({ outerHTML }) => outerHTML),
    failing: failing.length,
    smallest: Math.min(...sizes),
    overflow: Math.max(0, (document.scrollingElement?.scrollWidth ?? Infinity) - innerWidth),
    texts: contrasts.length,
    misplaced,
    faint: contrasts.filter(({ ratio }) => !(ratio >= 4.5)).map(({ name, ratio }) => `${name}: ${ratio.toFixed(2)}`),
    states: Object.fromEntries(
      ["ok", "failed", "warning", "unknown", "skipped"].flatMap((state) => {
        const rect = Array.from(document.querySelectorAll(`.node.${state} > rect`)).find(shown);
        return rect === undefined ? [] : [[state, getComputedStyle(rect).stroke]];
      }),
    ),
  };
}
