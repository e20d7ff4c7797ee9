import { open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

/** The whole lines of a file that grows, each once; one that is replaced by a shorter one is read anew. */
export class LineReader {
  readonly #file: string;
  #decoder = new StringDecoder('utf8');
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** Lines that have been completed since the last call; none while there is no file. */
  async read(): Promise<string[]> {
    const size = (await stat(this.#file).catch(() => undefined))?.size ?? 0;
    if (size < this.#offset) this.#start();
    if (size === this.#offset) return [];
    const lines = `${this.#rest}${await this.#next(size - this.#offset)}`.split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }

  /** What stands after the last newline, which a writer that has ended will not complete. */
  end(): string[] {
    const rest = this.#rest;
    this.#rest = '';
    return rest === '' ? [] : [rest];
  }

  #start(): void {
    this.#decoder = new StringDecoder('utf8');
    this.#offset = 0;
    this.#rest = '';
  }

  async #next(length: number): Promise<string> {
    const file = await open(this.#file);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, this.#offset);
      this.#offset += bytesRead;
      return this.#decoder.write(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  }
}
