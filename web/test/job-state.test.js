import { describe, expect, it } from 'vitest';

import { IDLE, after, afterStatus } from '../src/job-state.js';

const logo = { id: 'a', asset_type: 'logo', url: 'http://localhost/a.png' };

/** @param {...[string, any]} events  numbered from 1, unless they say otherwise */
function told(...events) {
  return events.reduce((state, [event, data], index) => after(state, event, { seq: index + 1, ...data }), IDLE);
}
const running = { status: 'generating', message: '' };
const trouble = { error: 'No answer.', cause: 'provider_timeout', retryAt: 7 };
const progress = (percent, more = {}) => ['job:progress', { ...running, progress: percent, ...more }];
const failed = (retriesLeft) => ['job:failed', { ...trouble, retriesLeft }];

describe('the state of a job', () => {
  it('tells a retry from an end by the retries left', () => {
    const retrying = { status: 'retrying', progress: 40, retriesLeft: 2, retryAt: 7, ended: false };
    expect(told(progress(40), failed(2))).toMatchObject(retrying);
    expect(told(progress(40), failed(0))).toMatchObject({ status: 'failed', cause: 'provider_timeout', ended: true });
  });

  it('has no trouble any more once the next attempt runs, and keeps what was reached', () => {
    expect(told(progress(60), failed(1), progress(5))).toMatchObject({ progress: 60, error: null, retriesLeft: 0 });
  });

  it('ignores what it has been told before', () => {
    const state = told(progress(10), progress(20));
    expect(after(state, ...progress(15, { seq: 2 }))).toBe(state);
  });

  it('stays at its end', () => {
    const state = told(['job:cancelled', { message: 'Cancelled.' }]);
    expect(after(state, ...progress(50, { seq: 2 }))).toBe(state);
  });

  it('collects assets once each, and takes the rows of the result at the end', () => {
    const state = told(progress(10, { asset: logo }), progress(20, { asset: logo }));
    expect(state.assets).toEqual([logo]);
    const rows = [{ ...logo, thumbnail_url: 'http://localhost/small.png' }];
    const end = after(state, 'job:complete', { seq: 3, message: '', result: { logos: rows }, partial: true });
    expect(end).toMatchObject({ assets: rows, partial: true, progress: 100 });
  });

  it('counts events that change nothing that is shown', () => {
    expect(told(progress(10), ['agent:message', { content: 'Hello' }])).toMatchObject({ seq: 2, progress: 10 });
  });

  it('takes the record of a job whose events are gone', () => {
    const answer = { state: 'completed', progress: 100, data: { asset: logo, partial: true }, failedReason: null };
    expect(afterStatus(IDLE, answer)).toMatchObject({ status: 'complete', assets: [logo], partial: true, ended: true });
    const lost = { state: 'failed', progress: 30, data: null, failedReason: 'Out of luck.' };
    expect(afterStatus(IDLE, lost)).toMatchObject({ status: 'failed', error: 'Out of luck.', ended: true });
  });
});
