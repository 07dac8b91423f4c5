import Programs

EvaluateCommand.start()
