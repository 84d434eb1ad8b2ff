/** How the doctor's page looks. */

/** The smallest text of a picture (`tools/diagram/lines.ts`), and the smallest that it may shrink to. Pixels. */
const [drawn, readable] = [12, 11];
/** What the page has left and right of a picture. */
const sides = 34;

/** The wide picture, as long as its text stays readable in the page; else the one that is made for phones. */
export const pictureStyle = (width: number): string => `
    .picture { flex: 0 1 ${width}px; }
    .wide svg { max-width: ${width}px; }
    @media (max-width: ${Math.ceil((width * readable) / drawn) + sides}px) { .wide { display: none; } }
    @media (min-width: ${Math.ceil((width * readable) / drawn) + sides + 0.02}px) { .narrow { display: none; } }
  `;

/** How the page looks: one column, light or dark as the reader has it. */
export const style = `
    :root { color-scheme: light dark; --ok: #1a7f37; --failed: #cf222e; --warning: #9a6700; --none: #59636e; --failed-ground: #ffebe9; --line: #d1d9e0; }
    body { max-width: 84rem; margin: 0 auto; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1f2328; background: #ffffff; overflow-wrap: anywhere; }
    h1 { font-size: 1.4rem; line-height: 1.3; }
    h2 { font-size: 1.1rem; }
    a { color: #0550ae; }
    code { white-space: pre-wrap; font-family: ui-monospace, monospace; font-size: 0.9rem; }
    section { margin: 1rem 0; padding: 0 1rem; border: 1px solid var(--line); border-left: 0.4rem solid var(--warning); border-radius: 0.4rem; }
    section.failed { border-left-color: var(--failed); }
    dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.4rem 1rem; }
    dt { font-weight: 600; }
    dd { margin: 0; }
    .found { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1rem 2rem; }
    .hops { flex: 1 1 26rem; }
    .hops h2 { margin-top: 0; }
    .picture { border: 1px solid var(--line); border-radius: 0.4rem; }
    .picture svg { display: block; width: 100%; height: auto; margin: 0 auto; }
    .narrow svg { max-width: 420px; }
    table { width: 100%; border-collapse: collapse; }
    th, td { padding: 0.35rem 0.8rem 0.35rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
    tbody th { font-weight: 400; }
    th[scope="row"] { white-space: nowrap; }
    th[scope="rowgroup"] { padding-top: 1.2rem; border-top: 0; font-weight: 600; }
    .state { white-space: nowrap; font-weight: 600; color: var(--none); }
    .ok .state { color: var(--ok); }
    .failed .state { color: var(--failed); }
    .warning .state { color: var(--warning); }
    .node.ok > rect { stroke: var(--ok); stroke-width: 2.5; }
    .node.failed > rect { fill: var(--failed-ground); stroke: var(--failed); stroke-width: 4; }
    .node.warning > rect { stroke: var(--warning); stroke-width: 3; stroke-dasharray: 8 3; }
    .node.unknown > rect, .node.skipped > rect { stroke: var(--none); stroke-dasharray: 2 3; }
    .line.ok > path, .line.ok > rect { stroke: var(--ok); }
    .line.failed > path, .line.failed > rect { stroke: var(--failed); stroke-width: 2.5; }
    .line.warning > path, .line.warning > rect { stroke: var(--warning); }
    @media (max-width: 40rem) {
      thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
      body { padding: 0.8rem; }
      tr { display: grid; grid-template-columns: max-content minmax(0, 1fr); column-gap: 0.6rem; border-top: 1px solid var(--line); padding: 0.4rem 0; }
      tr:has([scope="rowgroup"]) { border-top: 0; }
      th, td { display: block; border: 0; padding: 0; }
      td:last-child, th[scope="rowgroup"] { grid-column: 1 / -1; }
      dl { grid-template-columns: 1fr; gap: 0; }
      dd { margin-bottom: 0.5rem; }
    }
    @media (prefers-color-scheme: dark) {
      :root { --ok: #3fb950; --failed: #ff7b72; --warning: #e3b341; --none: #9198a1; --failed-ground: #3b1219; --line: #3d444d; }
      body { color: #e6edf3; background: #0d1117; }
      a { color: #79c0ff; }
    }
  `;
