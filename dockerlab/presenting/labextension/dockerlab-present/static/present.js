// A lesson on a projector: what the keys do, and what the window with the notes is told.

import { Layout } from './layout.js';
import { Recovery } from './recovery.js';

const KEYS = { PageDown: 'next', PageUp: 'back', F2: 'notes', F8: 'solve', F9: 'recover' };
const PATIENCE = 10_000; // milliseconds that a kernel has to begin
const LATER = [100, 400, 1000]; // milliseconds: outputs grow for a while

export async function start(app, use) {
  const { baseUrl } = app.serviceManager.serverSettings;
  const page = `${baseUrl}dockerlab/present`;
  const plan = await (await fetch(`${page}/steps`)).json();
  const { NotebookActions } = await use('@jupyterlab/notebook');
  await app.restored;
  const layout = new Layout(app);
  const panel = await layout.open(plan.place);
  const presentation = new Presentation({ app, plan, page, panel, layout, NotebookActions });
  globalThis.addEventListener('keydown', event => presentation.press(event), true);
  await panel.context.ready;
  presentation.show(presentation.memory.at ?? 0);
  presentation.watch();
}

class Presentation {
  turn = 0; // of scrolling; the last one counts

  constructor(parts) {
    Object.assign(this, parts);
    this.recovery = new Recovery(this);
    this.id = crypto.randomUUID?.() ?? String(Math.random());
    this.channel = new BroadcastChannel('dockerlab-present');
  }

  watch() {
    this.channel.onmessage = ({ data }) => this.hear(data);
    this.panel.content.activeCellChanged.connect(() => this.tell());
    this.panel.sessionContext.statusChanged.connect(() => this.tell());
    this.tell();
  }

  // What outlives a window that was closed, but not the presentation: when it began, where it is.
  get memory() {
    const kept = JSON.parse(localStorage.getItem('dockerlab-present')) ?? {};
    return kept.started === this.plan.started ? kept : {};
  }

  set memory(facts) {
    const { started } = this.plan;
    localStorage.setItem('dockerlab-present', JSON.stringify({ ...facts, started }));
  }

  // The kernel, if there is one alive.
  get kernel() {
    const kernel = this.panel.sessionContext.session?.kernel;
    return kernel && kernel.status !== 'dead' ? kernel : null;
  }

  press(event) {
    const what = KEYS[event.key];
    const held = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
    if (!what || held || document.querySelector('.jp-Dialog')) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat) void this[what]();
  }

  hear({ to, ask, act }) {
    if (ask) this.tell();
    else if (to === this.id && Object.values(KEYS).includes(act)) void this[act]();
  }

  tell() {
    const { sessionContext } = this.panel;
    const gone = sessionContext.isReady && !this.kernel && !this.recovery.running;
    const { since = 0 } = this.memory;
    const { log } = this.recovery;
    this.memory = { since, at: this.panel.content.activeCellIndex };
    this.channel.postMessage({ lab: this.id, step: this.step(), since, gone, log });
  }

  // The step that the active cell is, or the nearest one above.
  step() {
    const { cells } = this.panel.content.model?.sharedModel ?? { cells: [] };
    for (let at = this.panel.content.activeCellIndex; at >= 0; at--) {
      const found = this.plan.steps.findIndex(step => step.id === cells[at]?.id);
      if (found >= 0) return found;
    }
    return 0;
  }

  show(index) {
    const { content } = this.panel;
    this.app.shell.activateById(this.panel.id);
    content.deselectAll();
    content.mode = 'command';
    content.activeCellIndex = index;
    this.settle();
  }

  // Bring the active cell into sight; below the outputs of `above`, if both have room.
  settle(above) {
    const { outerNode, activeCell } = this.panel.content;
    const into = () => {
      const { bottom } = activeCell.node.getBoundingClientRect();
      const whole = bottom - (above?.node.getBoundingClientRect().top ?? bottom);
      if (whole > outerNode.clientHeight) above.node.scrollIntoView({ block: 'start' });
      else activeCell.node.scrollIntoView({ block: 'nearest' });
    };
    into();
    const turn = ++this.turn;
    for (const delay of LATER) setTimeout(() => turn === this.turn && into(), delay);
    this.tell();
  }

  // Whether there was more to see before the next step, which is shown now.
  scroll() {
    const { outerNode, activeCell } = this.panel.content;
    const read = activeCell.model.type === 'code' ? activeCell.inputArea : activeCell;
    const bottom = outerNode.getBoundingClientRect().bottom;
    const unseen = read.node.getBoundingClientRect().bottom - bottom;
    if (unseen < 4) return false;
    this.turn++; // nothing scrolls back
    outerNode.scrollBy({ top: Math.min(unseen + 12, 0.8 * outerNode.clientHeight) });
    return true;
  }

  async next() {
    const { content } = this.panel;
    if (this.recovery.running || this.scroll()) return;
    if (content.activeCell.model.type === 'code' && !(await this.ready())) return;
    if (!this.memory.since) this.memory = { ...this.memory, since: Date.now() };
    const { activeCell: cell, activeCellIndex: at } = content;
    const ran = this.run(cell);
    if (at + 1 < content.widgets.length) this.show(at + 1);
    await ran;
    if (cell.model.type === 'code' && content.activeCellIndex === at + 1) this.settle(cell);
  }

  back() {
    this.show(Math.max(0, this.panel.content.activeCellIndex - 1));
  }

  solve() {
    const { solution } = this.plan.steps[this.step()];
    const { activeCell } = this.panel.content;
    const exact = activeCell?.model.id === this.plan.steps[this.step()].id;
    if (solution && exact) activeCell.model.sharedModel.setSource(solution);
    this.settle();
  }

  recover() {
    return this.recovery.run();
  }

  notes() {
    globalThis.open(this.page, 'dockerlab-notes', 'popup,width=960,height=800');
  }

  run(cell) {
    const { content, sessionContext } = this.panel;
    return this.NotebookActions.runCells(content, [cell], sessionContext);
  }

  // Whether there is a kernel that can be asked; the first key that comes too early waits for it.
  async ready() {
    if (this.waits) return false;
    this.waits = true;
    await this.panel.sessionContext.ready;
    await Promise.race([this.kernel?.info, new Promise(done => setTimeout(done, PATIENCE))]);
    this.waits = false;
    return Boolean(this.kernel);
  }
}
