"""`serve`, `worker`, `migrate`, `demo`: running the service on this machine."""

import signal
import threading
from typing import Annotated

import typer

from api.bootstrap import migrate_store
from api.cli.commands import operates
from api.cli.desk import Bench
from api.cli.options import option

Host = Annotated[str | None, option("--host", help="Address to serve on 监听地址.")]
Port = Annotated[int | None, option("--port", min=0, max=65535, help="Port; 0 takes a free one 端口.")]


def add_running(app: typer.Typer) -> None:
    """Add the commands."""
    operates(app, "serve")(serve)
    operates(app, "worker")(work)
    operates(app, "migrate")(migrate)
    operates(app, "demo")(demo)


def serve(bench: Bench, host: Host = None, port: Port = None) -> None:
    """Serve API and pages, with the workers in this process 启动服务."""
    from api.cli.serving import serve_system

    bench = bench.at(host, port)
    serve_system(
        bench.build(),
        host=bench.settings.host,
        port=bench.settings.port,
        ready=lambda address: bench.terminal.say("serving", address=address),
    )


def work(bench: Bench) -> None:
    """Run the workers without HTTP: read models and the ledger's publisher 仅运行后台任务."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with bench.open() as desk:
        desk.system.start()
        desk.terminal.say("working", data=desk.system.settings.data_dir)
        stop.wait()


def migrate(bench: Bench) -> None:
    """Make the store, or bring it to this version's shape 建立或升级存储."""
    migrate_store(bench.settings)
    bench.terminal.facts({"store": "ready"})


def demo(
    bench: Bench,
    host: Host = None,
    port: Port = None,
    no_serve: Annotated[bool, option("--no-serve", help="Only make it, do not serve it 不启动服务.")] = False,
) -> None:
    """Carry two quarters of a made-up Taiyuan through, then serve them 演示."""
    from api.cli.demo import play

    bench = bench.at(host, port)
    play.run(bench.settings, serve=not no_serve, console=bench.terminal.out)
