import { describe, expect, it } from 'vitest';
import { originOf } from '../../../../orchestrator/report/dataset/origin.ts';

const source = (kind: string, path: string | null) => ({ kind, path, hash: '', licence: '' });

describe('where a sample comes from', () => {
  const origin = originOf({
    sources: [
      source('mini', null),
      source('classes', '/data/yoga'),
      source('folder', '/data'),
      source('coco', '/data/yoga2/'),
      source('poses', '/tables/poses.npz'),
    ],
  });

  it('is the source whose folder is nearest', () => {
    expect(origin('mini')).toBe('mini');
    expect(origin('/data/yoga/tree/1.jpg')).toBe('classes /data/yoga');
    expect(origin('/data/1.jpg')).toBe('folder /data');
  });

  it('is not a folder whose name only begins alike', () => {
    expect(origin('/data/yoga2/1.jpg')).toBe('coco /data/yoga2/');
    expect(origin('/data/yoga3/1.jpg')).toBe('folder /data');
    expect(origin('/database/1.jpg')).toBe('other');
  });

  it('is the table of a drawn pose, and otherwise none', () => {
    expect(origin('/tables/poses.npz, row 3')).toBe('poses /tables/poses.npz');
    expect(origin('elsewhere')).toBe('other');
  });
});
