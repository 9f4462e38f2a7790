#!/usr/bin/python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""manifests.py SOURCE [DISTRIBUTOR]: that examples/kubernetes is what it says.

Both pods ask for no more than they need, they agree with each other and with the
Containerfile about paths, groups, users and commands, and the manifests say what
docs/kubernetes.md says. With the daemon's program, its --help has to have the options
that the manifests and docs/distributor.md use, and the page all that it has."""

import pathlib
import re
import subprocess
import sys

try:
    import yaml
except ImportError:
    print('skipped: python3-yaml is not installed')
    sys.exit(77)

CAPABILITIES = {'NET_ADMIN', 'NET_RAW', 'BPF', 'PERFMON', 'IPC_LOCK'}
UNITS = {'K': 2**10, 'M': 2**20, 'G': 2**30, 'Ki': 2**10, 'Mi': 2**20, 'Gi': 2**30}
# The daemon's own: frames of an interface, buffers, maps (docs/kubernetes.md).
DAEMON_MEMORY = 512 * 2**20

# What is there, by its path, and what it has to be. None: anything but nothing.
DAEMON = {
    'apiVersion': 'apps/v1',
    'kind': 'DaemonSet',
    'metadata.namespace': None,
    'spec.updateStrategy.type': 'OnDelete',
    'spec.template.spec.nodeSelector': None,
    'spec.template.spec.hostNetwork': True,
    'spec.template.spec.hostPID': 'absent',
    'spec.template.spec.automountServiceAccountToken': False,
    'spec.template.spec.securityContext.runAsUser': 0,
    'spec.template.spec.securityContext.seccompProfile.type': 'RuntimeDefault',
}
RECEIVER = {
    'apiVersion': 'v1',
    'kind': 'Pod',
    'metadata.namespace': None,
    'metadata.annotations': 'absent',  # no other network either
    'spec.nodeSelector': None,
    'spec.hostNetwork': 'absent',
    'spec.hostPID': 'absent',
    'spec.hostIPC': 'absent',
    'spec.automountServiceAccountToken': False,
    'spec.securityContext.runAsNonRoot': True,
    'spec.securityContext.fsGroup': 'absent',  # without effect on a hostPath
    'spec.securityContext.seccompProfile.type': 'RuntimeDefault',
}
CONTAINER = {
    'image': None,
    'args': None,
    'securityContext.privileged': 'absent',
    'securityContext.allowPrivilegeEscalation': False,
    'securityContext.readOnlyRootFilesystem': True,
    'securityContext.capabilities.drop': ['ALL'],
    'resources.requests.cpu': None,
    'resources.requests.memory': None,
    'resources.limits.memory': None,
}

faults = []


def expect(is_so, text):
    if not is_so:
        faults.append(text)


def get(tree, path):
    for name in path.split('.'):
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def check_fields(where, tree, fields):
    for path, wanted in fields.items():
        value = get(tree, path)
        if wanted is None:
            expect(value not in (None, '', [], {}), f'{where}: {path} is missing')
        elif wanted == 'absent':
            expect(value is None, f'{where}: {path} is there')
        else:
            expect(value == wanted, f'{where}: {path} is {value}, not {wanted}')


def number_of_bytes(text):
    digits, unit = re.fullmatch(r'([0-9]+)(\w*)', text).groups()
    return int(digits) * UNITS.get(unit, 1)


def options_of(words):
    """--name=value, as a dictionary of lists."""
    options = {}
    for word in words:
        name, _, value = word.partition('=')
        if name.startswith('--'):
            options.setdefault(name, []).append(value)
    return options


def the_socket_volume(where, pod, container):
    """The path in the container, and whether it is read-only; the host's."""
    volumes = [volume for volume in pod['volumes'] if 'hostPath' in volume]
    expect(len(volumes) == 1, f'{where}: {len(volumes)} directories of the host')
    mounts = [mount for mount in container['volumeMounts']
              if mount['name'] == volumes[0]['name']]
    expect(len(mounts) == 1, f'{where}: the directory is mounted {len(mounts)} times')
    expect(not mounts[0].get('subPath'), f'{where}: subPath would be one file')
    return mounts[0], volumes[0]['hostPath']


def load(path):
    documents = {}
    for document in yaml.safe_load_all(path.read_text()):
        expect(document['kind'] not in documents, f'{path}: two {document["kind"]}s')
        documents[document['kind']] = document
    name = documents['Namespace']['metadata']['name']
    for document in documents.values():
        if document['kind'] != 'Namespace':
            where = get(document, 'metadata.namespace')
            expect(where == name, f'{path}: {document["kind"]} is in {where}')
    return documents


def stages(path):
    """The instructions of each stage of the Containerfile, by the stage's name."""
    found = {}
    for line in re.sub(r'\\\n', ' ', path.read_text()).splitlines():
        word, _, rest = line.partition(' ')
        if word == 'FROM':
            found[rest.split(' AS ')[1]] = current = []
        elif word and not word.startswith('#'):
            current.append((word, ' '.join(rest.split())))
    return found


def instruction(stage, word):
    values = [rest for name, rest in stage if name == word]
    expect(len(values) == 1, f'Containerfile: {len(values)} times {word}')
    return values[0] if values else ''


def check_daemon(daemon, options):
    pod = daemon['spec']['template']['spec']
    container, = pod['containers']
    check_fields('distributor.yaml', daemon, DAEMON)
    check_fields('distributor.yaml', container, CONTAINER)
    expect(get(daemon, 'spec.selector.matchLabels') ==
           get(daemon, 'spec.template.metadata.labels'),
           'distributor.yaml: the selector is not of the labels')
    added = container['securityContext']['capabilities'].get('add', [])
    expect(set(added) == CAPABILITIES, f'distributor.yaml: it has {added}')

    for name in ('--interface', '--socket', '--group', '--max-clients',
                 '--max-memory', '--allow'):
        expect(name in options, f'distributor.yaml: {name} is missing')
    rings = int(options['--max-clients'][0]) * number_of_bytes(
        options['--max-memory'][0])
    limit = number_of_bytes(container['resources']['limits']['memory'])
    expect(limit >= rings + DAEMON_MEMORY,
           f'distributor.yaml: {limit} bytes are too few for rings of {rings}')
    expect(container['resources']['requests']['memory'] ==
           container['resources']['limits']['memory'],
           'distributor.yaml: locked memory is used from the start')

    probe = get(container, 'readinessProbe.exec.command') or ['']
    expect(probe[0] == 'afxdp-distributor' and '--status' in probe,
           'distributor.yaml: the probe does not ask for the status')
    expect(options_of(probe).get('--socket') == options['--socket'],
           'distributor.yaml: the probe asks at another socket')
    expect(get(container, 'livenessProbe') is None,
           'distributor.yaml: a probe that ends it would interrupt every stream')


def check_receiver(receiver, options):
    pod = receiver['spec']
    container, = pod['containers']
    check_fields('receiver.yaml', receiver, RECEIVER)
    check_fields('receiver.yaml', container, CONTAINER)
    added = container['securityContext']['capabilities'].get('add')
    expect(added is None, f'receiver.yaml: it has {added}')
    expect(get(container, 'resources.limits.cpu'), 'receiver.yaml: no limit of cpu')
    for name in ('runAsUser', 'runAsGroup'):
        expect(pod['securityContext'].get(name, 0) > 0, f'receiver.yaml: {name}')
    words = container['args']
    interface = [word.partition('=')[2] for word in words
                 if word.startswith('multicast-iface=')]
    expect(interface and interface[0] in options['--interface'],
           f'receiver.yaml: the daemon has no interface {interface}')


def check_both(daemon, receiver, options):
    daemon_pod, receiver_pod = daemon['spec']['template']['spec'], receiver['spec']
    serving, = daemon_pod['containers']
    served, = receiver_pod['containers']
    expect(daemon_pod['nodeSelector'] == receiver_pod['nodeSelector'],
           'the receiver may be where no daemon is')
    mount, host = the_socket_volume('distributor.yaml', daemon_pod, serving)
    other_mount, other_host = the_socket_volume('receiver.yaml', receiver_pod, served)
    expect(host['path'] == other_host['path'], 'not the same directory of the host')
    expect(host['type'] == 'DirectoryOrCreate', 'the daemon makes no directory')
    expect(other_host['type'] == 'Directory', 'the receiver makes the directory')
    expect(not mount.get('readOnly'), 'the daemon cannot make its socket')
    expect(other_mount.get('readOnly'), 'the receiver could remove the socket')

    socket = pathlib.PurePath(options['--socket'][0])
    expect(str(socket.parent) == mount['mountPath'],
           f'the daemon makes {socket}, which is not in {mount["mountPath"]}')
    environment = {entry['name']: entry['value'] for entry in served['env']}
    client = pathlib.PurePath(environment.get('AFXDP_DISTRIBUTOR', ''))
    expect(str(client.parent) == other_mount['mountPath'],
           f'AFXDP_DISTRIBUTOR={client} is not in {other_mount["mountPath"]}')
    expect(client.name == socket.name, f'{client.name} is not {socket.name}')

    group = daemon_pod['securityContext']['runAsGroup']
    expect(receiver_pod['securityContext'].get('supplementalGroups') == [group],
           f'the receiver is not in group {group}')
    expect(receiver_pod['securityContext']['runAsGroup'] != group and
           serving['image'] != served['image'], 'both are the same')


def check_images(containerfile, daemon, receiver, options):
    daemon_pod, receiver_pod = daemon['spec']['template']['spec'], receiver['spec']
    images = stages(containerfile)
    for pod, stage in (daemon_pod, 'distributor'), (receiver_pod, 'receiver'):
        image = pod['containers'][0]['image']
        name = image.rsplit('/', 1)[-1]
        expect(re.search(rf'--target {stage} -t {re.escape(name)} ',
                         containerfile.read_text()), f'nobody builds {name}')
        context = pod['securityContext']
        user = instruction(images[stage], 'USER')
        expect(user == f'{context["runAsUser"]}:{context["runAsGroup"]}',
               f'{stage}: the image is of {user}')
    expect('--from=build' in instruction(images['receiver'], 'COPY'), 'no plugin')
    entry = instruction(images['distributor'], 'ENTRYPOINT')
    expect(entry.endswith('/afxdp-distributor"]'), f'distributor: {entry}')
    runs = ' '.join(rest for word, rest in images['distributor'] if word == 'RUN')
    group = daemon_pod['securityContext']['runAsGroup']
    expect(f'groupadd --gid {group} {options["--group"][0]}' in runs,
           f'distributor: the group {options["--group"]} is not {group}')


def check_options(distributor, page, options):
    text = subprocess.run([distributor, '--help'], text=True, check=True,
                          capture_output=True).stdout
    known = set(re.findall(r'^\s+(?:-\w, )?(--[a-z][a-z-]*)', text, re.MULTILINE))
    expect(known, f'{distributor} --help has no options')
    for name in sorted(options - known):
        faults.append(f'distributor.yaml: the daemon does not know {name}')
    told = set(re.findall(r'^\| `(--[a-z][a-z-]*)', page, re.MULTILINE))
    for name in sorted(told - known):
        faults.append(f'docs/distributor.md: the daemon does not know {name}')
    for name in sorted(known - told - {'--help', '--version'}):
        faults.append(f'docs/distributor.md: {name} is missing')
    print(f'options: {" ".join(sorted(known))}')


def main(source, distributor=None):
    source = pathlib.Path(source)
    folder = source / 'examples/kubernetes'
    daemon = load(folder / 'distributor.yaml')['DaemonSet']
    receiver = load(folder / 'receiver.yaml')['Pod']
    container = daemon['spec']['template']['spec']['containers'][0]
    options = options_of(container['args'])

    check_daemon(daemon, options)
    check_receiver(receiver, options)
    check_both(daemon, receiver, options)
    check_images(folder / 'Containerfile', daemon, receiver, options)
    if distributor:
        probe = options_of(container['readinessProbe']['exec']['command'])
        check_options(distributor, (source / 'docs/distributor.md').read_text(),
                      set(options) | set(probe))
    else:
        print('options: not compared, without the daemon')
    for fault in faults:
        print(f'not so: {fault}')
    return bool(faults)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
