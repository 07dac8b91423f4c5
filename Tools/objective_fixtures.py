"""Writes Tests/AutogradTests/Fixtures/objectives.json: losses and gradients of TRL on random logits.

Run by hand from the repository root, in an environment with torch, trl, transformers, accelerate and
datasets: python3 Tools/objective_fixtures.py
The generalised Jensen-Shannon divergence, with forward and reverse KL as its two ends, is
trl.experimental.gkd's own function; the skewed one, which TRL does not have, and the mix with
cross-entropy are written out here with torch's kl_div and cross_entropy. The file records the
versions used.
"""

import json

import torch
import trl
from torch.nn import functional
from trl.experimental.gkd import GKDTrainer

ROWS, VOCABULARY = 3, 21


def skew(student, teacher, alpha, temperature):
    s = functional.log_softmax(student / temperature, -1)
    t = functional.log_softmax(teacher / temperature, -1)
    a = torch.tensor(alpha, dtype=s.dtype)
    mixture = torch.logsumexp(torch.stack([s + torch.log1p(-a), t + torch.log(a)]), 0)
    return functional.kl_div(mixture, t, reduction="batchmean", log_target=True)


def jsd(student, teacher, beta, temperature):
    # One sequence of ROWS positions; batchmean divides by the number of unmasked positions.
    labels = torch.zeros(1, ROWS, dtype=torch.long)
    return GKDTrainer.generalized_jsd_loss(student[None], teacher[None], labels=labels, beta=beta,
                                           temperature=temperature)


def case(name, parameter, temperature, weight, scale):
    student = (scale * torch.randn(ROWS, VOCABULARY, dtype=torch.float64)).requires_grad_()
    teacher = scale * torch.randn(ROWS, VOCABULARY, dtype=torch.float64)
    targets = torch.randint(0, VOCABULARY, (ROWS,))
    divergence = {
        "forward-kl": lambda: jsd(student, teacher, 0.0, temperature),
        "reverse-kl": lambda: jsd(student, teacher, 1.0, temperature),
        "jsd": lambda: jsd(student, teacher, parameter, temperature),
        "skew-kl": lambda: skew(student, teacher, parameter, temperature),
    }[name]()
    loss = weight * divergence + (1 - weight) * functional.cross_entropy(student, targets)
    loss.backward()
    return {"name": name, "parameter": parameter, "temperature": temperature, "weight": weight,
            "student": student.detach().flatten().tolist(), "teacher": teacher.flatten().tolist(),
            "targets": targets.tolist(), "divergence": divergence.item(), "loss": loss.item(),
            "gradient": student.grad.flatten().tolist()}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    return [rounded(item) for item in value] if isinstance(value, list) else value


def main():
    torch.manual_seed(18)
    cases = []
    for name, parameters in [("forward-kl", [0]), ("reverse-kl", [0]), ("jsd", [0.1, 0.5, 0.9]),
                             ("skew-kl", [0.1, 0.5])]:
        for parameter in parameters:
            for temperature, weight, scale in [(1.0, 1.0, 1.0), (2.0, 0.7, 5.0)]:
                cases.append(case(name, parameter, temperature, weight, scale))
    record = {"torch": torch.__version__, "trl": trl.__version__, "rows": ROWS,
              "vocabulary": VOCABULARY,
              "cases": [{key: rounded(value) for key, value in one.items()} for one in cases]}
    with open("Tests/AutogradTests/Fixtures/objectives.json", "w", encoding="utf-8") as file:
        json.dump(record, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
