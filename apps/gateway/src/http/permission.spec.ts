import { Controller, Get, Module, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Allow, assertEveryRouteDecided, Public } from './permission.js';

@Controller('a')
class Decided {
  @Get()
  @Allow('read')
  read(): string {
    return '';
  }
  @Get('public')
  @Public()
  open(): string {
    return '';
  }
}
@Controller('b')
class Undecided {
  @Get()
  forgotten(): string {
    return '';
  }
  helper(): string {
    return '';
  }
}
@Module({ controllers: [Decided] })
class Right {}
@Module({ controllers: [Decided, Undecided] })
class Wrong {}

const made = (module: Type): Promise<INestApplication> =>
  NestFactory.create(module, new FastifyAdapter(), { logger: false });

describe('a route for which nobody decided who may use it', () => {
  it('lets Pantau not start, and is named', async () => {
    const [right, wrong] = [await made(Right), await made(Wrong)];
    try {
      expect(() => assertEveryRouteDecided(right)).not.toThrow();
      expect(() => assertEveryRouteDecided(wrong)).toThrow(/ Undecided\.forgotten: /);
    } finally {
      await right.close();
      await wrong.close();
    }
  });
});
