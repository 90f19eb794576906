import { beforeAll, describe, expect, inject, it } from 'vitest';

import { useBrandAssets } from '../src/index.js';
import { render } from './render.js';
import { newUser, until } from './server.js';

let user, provider;

beforeAll(async () => {
  user = await newUser(inject('bmn'));
  provider = { url: user.url, getToken: () => user.token };
});

function look(...brandIds) {
  const hooks = brandIds.map((brandId, index) => [`brand${index}`, () => useBrandAssets(brandId)]);
  return render(provider, Object.fromEntries(hooks)).seen;
}

describe('useBrandAssets', () => {
  it('lists what there is, and adds what is saved while one looks', async () => {
    const brandId = await user.brand();
    const seen = look(brandId);
    await until(() => seen.brand0.now?.loading === false);
    expect(seen.brand0.now).toMatchObject({ assets: [], error: null, hasMore: false });
    await user.logos(brandId, 2);
    await until(() => seen.brand0.now.assets.length === 2);
    expect(seen.brand0.now.assets.every(({ type, url }) => type === 'logo' && url.includes('signature='))).toBe(true);

    const later = look(brandId);
    await until(() => later.brand0.now?.assets.length === 2);
    expect(ids(later.brand0.now)).toEqual(ids(seen.brand0.now));
  });

  it('selects one of a type, for everybody who looks', async () => {
    const brandId = await user.brand();
    const [mine, other] = [look(brandId), look(brandId)];
    await user.logos(brandId, 2);
    await until(() => mine.brand0.now?.assets.length === 2 && other.brand0.now?.assets.length === 2);
    for (const { id } of mine.brand0.now.assets) {
      await mine.brand0.now.select(id);
      await until(() => String(selected(mine.brand0.now)) === id && String(selected(other.brand0.now)) === id);
    }
    await expect(mine.brand0.now.select('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({ status: 404 });
  });

  it('keeps brands apart, and says why there is nothing', async () => {
    const stranger = await newUser(inject('bmn'));
    const seen = look(await user.brand(), await stranger.brand(), null);
    await until(() => seen.brand0.now?.loading === false && seen.brand1.now?.loading === false);
    expect(seen.brand0.now.error).toBeNull();
    expect(seen.brand1.now.error.message).toBe('Not authorized');
    expect(seen.brand2.now).toMatchObject({ assets: [], loading: false, error: null });
  });
});

const ids = ({ assets }) => assets.map(({ id }) => id).sort();
const selected = ({ assets }) => assets.filter(({ isSelected }) => isSelected).map(({ id }) => id);
