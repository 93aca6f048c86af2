// The way back when a demo goes wrong: the course's own code, a new kernel and a new terminal, and
// everything above the current cell run once more.

const PATIENCE = 30_000; // milliseconds that a kernel has to start

export class Recovery {
  log = []; // [what, how far, of how many, words] of each thing it does
  running = false;
  #turn = 0;

  constructor(presentation) {
    this.presentation = presentation;
  }

  // A second call while one runs begins anew; the first then ends.
  async run() {
    const turn = ++this.#turn;
    const stale = () => turn !== this.#turn;
    const began = performance.now();
    const step = this.presentation.step();
    this.log = [];
    this.running = true;
    try {
      this.#say('code');
      this.#putBack(step);
      this.#say('kernel');
      await this.#kernel();
      this.#say('terminal');
      await this.presentation.layout.renewTerminal();
      const good = stale() || (await this.#replay(step, stale));
      if (!stale() && good) this.#say('done', (performance.now() - began) / 1000);
    } catch (error) {
      if (!stale()) this.#say('failed', 0, 0, String(error?.message ?? error));
    } finally {
      if (!stale()) {
        this.running = false;
        this.presentation.show(this.#index(this.presentation.plan.steps[step].id));
      }
    }
  }

  #say(...what) {
    const last = this.log.at(-1);
    if (last?.[0] === what[0]) this.log.pop();
    this.log.push(what);
    this.presentation.tell();
  }

  #index(id) {
    const { cells } = this.presentation.panel.content.model.sharedModel;
    return cells.findIndex(cell => cell.id === id);
  }

  // Cells up to `step` as the course has them, exercises above it solved; what was added stays.
  #putBack(step) {
    const { content } = this.presentation.panel;
    const model = content.model.sharedModel;
    const { steps } = this.presentation.plan;
    model.transact(() => {
      let place = -1;
      steps.slice(0, step + 1).forEach(({ id, kind, text, solution }, number) => {
        const source = (number < step && solution) || text;
        place = this.#cell(model, id, kind, source, place);
      });
    });
    content.widgets.forEach(cell => {
      const number = steps.findIndex(one => one.id === cell.model.id);
      if (cell.model.type === 'code' && number >= 0) cell.model.clearExecution();
      if (cell.model.type === 'markdown' && number <= step) cell.rendered = true;
    });
  }

  // Where that cell is now; it comes after `place` if it was gone.
  #cell(model, id, kind, source, place) {
    let found = this.#index(id);
    if (found >= 0 && model.cells[found].cell_type !== kind) {
      model.deleteCell(found);
      place = found - 1;
      found = -1;
    }
    if (found < 0) {
      model.insertCell(place + 1, { id, cell_type: kind, source });
      return place + 1;
    }
    if (model.cells[found].source !== source) model.cells[found].setSource(source);
    return found;
  }

  // Another one, as the old one may hang, be dead or be gone; the server ends that.
  async #kernel() {
    const { sessionContext } = this.presentation.panel;
    const late = (_, fail) => setTimeout(fail, PATIENCE, new Error('the kernel does not answer'));
    const there = async () => {
      await sessionContext.changeKernel({ name: 'python3' });
      await sessionContext.session.kernel.info;
    };
    await Promise.race([there(), new Promise(late)]);
  }

  async #replay(step, stale) {
    const { plan, panel } = this.presentation;
    if (plan.keeps) await this.#beginAnew();
    const steps = plan.steps.slice(0, step).filter(one => one.kind === 'code');
    for (const [number, { id, title }] of steps.entries()) {
      this.#say('cell', number + 1, steps.length, title);
      const cell = panel.content.widgets[this.#index(id)];
      panel.content.activeCellIndex = this.#index(id);
      const good = await this.presentation.run(cell);
      if (stale()) return false;
      const wished = cell.model.getMetadata('tags')?.includes('raises-exception');
      const failed = !good && !wished;
      const trouble = (failed || number === 0) && complaint(cell);
      if (failed || trouble) {
        this.#say('failed', 0, 0, trouble || title);
        return false;
      }
    }
    return true;
  }

  // A lesson that keeps what was made in it would go on with what went wrong.
  async #beginAnew() {
    const { plan, panel } = this.presentation;
    const name = plan.place.split('/').at(-1).replace('.ipynb', '');
    const code = `from dockerlab import lab\nlab.begin("${name}", anew=True)`;
    const { kernel } = panel.sessionContext.session;
    await kernel.requestExecute({ code, silent: true, store_history: false }).done;
  }
}

// What a cell has said on its error stream, or the exception that ended it.
function complaint(cell) {
  const said = [];
  for (const output of cell.model.outputs.toJSON()) {
    if (output.name === 'stderr') said.push([output.text].flat().join(''));
    if (output.output_type === 'error') said.push(`${output.ename}: ${output.evalue}`);
  }
  return said.join('\n').trim();
}
